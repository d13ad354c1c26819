-- CRM accounts that are one customer: merge records of the CRM and links that a person decided, nothing else. Each points at
-- most at one other, so doubling the pointers five times follows chains of 32 merges; a circle of merges merges nothing.
-- The oldest account anchors the customer (its id outlives later merges); the one that was never merged away describes it.
with records as (
    select
        *,
        domain || '|' || source_relation || '|' || source_id as record_key,
        row_number() over (order by created_at nulls last, source_relation, source_id) as age_rank
    from {{ ref('int_identities__records') }}
    where domain = 'crm'
),

overrides as (
    select * from {{ ref('int_identities__overrides') }}
    where domain = 'crm' and other_domain = 'crm' and is_follower
),

pointers_0 as (
    select
        records.record_key,
        min(coalesce(
            case when apart.decision is null then 'crm|' || merges.source_relation || '|' || merges.merged_into_account_id end,
            'crm|' || linked.other_source_relation || '|' || linked.other_source_id,
            records.record_key
        )) as points_at
    from records
    left join {{ ref('int_crm__account_merges') }} as merges on records.source_relation = merges.source_relation and records.source_id = merges.account_id
    left join {{ ref('int_identities__overrides') }} as apart
        on records.source_relation = apart.source_relation and records.source_id = apart.source_id and apart.domain = 'crm' and apart.decision = 'keep_apart'
        and apart.other_domain = 'crm' and merges.source_relation = apart.other_source_relation and merges.merged_into_account_id = apart.other_source_id
    left join overrides as linked
        on records.source_relation = linked.source_relation and records.source_id = linked.source_id and linked.decision = 'link'
    group by records.record_key
),

{% for round in range(1, 6) -%}
pointers_{{ round }} as (
    select near.record_key, coalesce(far.points_at, near.points_at) as points_at
    from pointers_{{ round - 1 }} as near
    left join pointers_{{ round - 1 }} as far on near.points_at = far.record_key
),

{% endfor -%}
roots as (
    select
        near.record_key,
        case when far.record_key = far.points_at then far.record_key else near.record_key end as survivor_key
    from pointers_5 as near
    left join pointers_5 as far on near.points_at = far.record_key
),

clusters as (
    select
        records.*,
        roots.survivor_key,
        first_value(records.record_key) over (partition by roots.survivor_key order by records.age_rank) as cluster_id,
        min(records.created_at) over (partition by roots.survivor_key) as cluster_created_at
    from records
    inner join roots on records.record_key = roots.record_key
),

-- customers that look like one company twice: one name, one country, no two domains. They stay two, but for finding out
-- whose record this is they count as one, the older standing for both.
look_alikes as (
    select
        survivor_key,
        first_value(cluster_id) over (
            partition by
                coalesce(name_key, cluster_id),
                country,
                case when is_one_domain then '' else coalesce(web_domain, cluster_id) end
            order by age_rank
        ) as look_alike_id
    from (
        select
            *,
            coalesce(min(web_domain) over (partition by name_key, country) = max(web_domain) over (partition by name_key, country), true) as is_one_domain
        from clusters
        where record_key = survivor_key
    ) as survivors
),

final as (
    select
        clusters.domain,
        clusters.source_relation,
        clusters.source_id,
        clusters.cluster_id,
        clusters.cluster_created_at,
        look_alikes.look_alike_id,
        clusters.record_key = clusters.survivor_key as is_survivor,
        case
            when clusters.record_key = clusters.cluster_id then 'anchor'
            when overrides.decision = 'link' then 'override'
            else 'merge'
        end as evidence,
        cast(null as {{ dbt.type_string() }}) as conflict,
        cast(null as {{ dbt.type_string() }}) as rival_cluster_id,
        cast(null as {{ dbt.type_string() }}) as other_rival_cluster_id
    from clusters
    inner join look_alikes on clusters.survivor_key = look_alikes.survivor_key
    left join (select source_relation, source_id, max(decision) as decision from overrides where decision = 'link' group by source_relation, source_id) as overrides
        on clusters.source_relation = overrides.source_relation and clusters.source_id = overrides.source_id
)

select * from final
