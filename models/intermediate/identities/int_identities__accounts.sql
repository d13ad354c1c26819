-- CRM accounts that are one customer: by merge records and decided links, and an account that was deleted joins the only one of
-- its name, country and domain that still stands. Two standing accounts are never joined here: they look alike, and a person decides.
-- The oldest account anchors the customer; the one that was not merged away describes it.
with records as (
    select
        records.*,
        pointers.record_key,
        pointers.survivor_key,
        row_number() over (order by records.created_at nulls last, records.source_relation, records.source_id) as age_rank
    from {{ ref('int_identities__records') }} as records
    inner join {{ ref('int_identities__account_pointers') }} as pointers
        on records.domain || '|' || records.source_relation || '|' || records.source_id = pointers.record_key
    where records.domain = 'crm'
),

overrides as (
    select
        source_relation, source_id,
        max(case when decision = 'link' and is_follower then 1 else 0 end) = 1 as is_linked
    from {{ ref('int_identities__overrides') }}
    where domain = 'crm' and other_domain = 'crm'
    group by source_relation, source_id
),

merged as (
    select
        records.*,
        coalesce(overrides.is_linked, false) as is_linked,
        min(records.age_rank) over (partition by records.survivor_key) as merged_rank
    from records
    left join overrides on records.source_relation = overrides.source_relation and records.source_id = overrides.source_id
),

survivors as (
    select
        *,
        coalesce(
            min(web_domain) over (partition by source_relation, name_key, country)
            = max(web_domain) over (partition by source_relation, name_key, country),
            true
        ) as is_one_domain
    from merged
    where record_key = survivor_key
),

-- in one CRM: one name, one country, no two domains
families as (
    select
        *,
        coalesce(
            source_relation || '|' || name_key || '|' || country || '|' || case when is_one_domain then '' else web_domain end,
            '|' || record_key
        ) as family
    from survivors
),

-- who is to stay apart from another of its family; a decision about somebody else says nothing here
apart as (
    select families.survivor_key
    from {{ ref('int_identities__overrides') }} as overrides
    inner join merged on overrides.source_relation = merged.source_relation and overrides.source_id = merged.source_id
    inner join families on merged.survivor_key = families.survivor_key
    inner join merged as others on overrides.other_source_relation = others.source_relation and overrides.other_source_id = others.source_id
    inner join families as other_families on others.survivor_key = other_families.survivor_key and families.family = other_families.family
    where overrides.domain = 'crm' and overrides.other_domain = 'crm' and overrides.decision = 'keep_apart'
    group by families.survivor_key
),

judged as (
    select families.*, apart.survivor_key is not null as is_kept_apart
    from families left join apart on families.survivor_key = apart.survivor_key
),

counted as (
    select
        *,
        sum(case when is_deleted or is_kept_apart then 0 else 1 end) over (partition by family) as standing,
        min(merged_rank) over (partition by family) as family_rank,
        min(case when is_kept_apart then null else merged_rank end) over (partition by family) as joined_rank
    from judged
),

groups as (
    select
        survivor_key,
        family_rank,
        case when standing = 1 and not is_kept_apart then joined_rank else merged_rank end as cluster_rank,
        row_number() over (
            partition by case when standing = 1 and not is_kept_apart then joined_rank else merged_rank end
            order by case when is_deleted then 1 else 0 end, age_rank
        ) = 1 as is_description
    from counted
),

final as (
    select
        merged.domain,
        merged.source_relation,
        merged.source_id,
        anchors.record_key as cluster_id,
        anchors.created_at as cluster_created_at,
        likes.record_key as look_alike_id,
        merged.record_key = merged.survivor_key and groups.is_description as is_survivor,
        case
            when merged.age_rank = groups.cluster_rank then 'anchor'
            when merged.is_linked then 'override'
            when merged.merged_rank = groups.cluster_rank then 'merge'
            when merged.record_key = merged.survivor_key then 'name_country'
            else 'merge'
        end as evidence,
        cast(null as string) as conflict,
        cast(null as string) as rival_cluster_id,
        cast(null as string) as other_rival_cluster_id
    from merged
    inner join groups on merged.survivor_key = groups.survivor_key
    inner join records as anchors on groups.cluster_rank = anchors.age_rank
    inner join records as likes on groups.family_rank = likes.age_rank
)

select * from final
