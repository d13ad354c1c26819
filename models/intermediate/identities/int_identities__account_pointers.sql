-- Where each CRM account ends up by merge records and by links that a person decided. An account points at most at one other, so
-- doubling the pointers five times follows chains of 32 merges; a circle of merges, or a target that does not exist, merges nothing.
with records as (
    select
        source_relation,
        source_id,
        domain || '|' || source_relation || '|' || source_id as record_key
    from {{ ref('int_identities__records') }}
    where domain = 'crm'
),

overrides as (
    select overrides.*
    from {{ ref('int_identities__overrides') }} as overrides
    inner join records
        on overrides.other_source_relation = records.source_relation and overrides.other_source_id = records.source_id
    where overrides.domain = 'crm' and overrides.other_domain = 'crm' and overrides.is_follower and overrides.decision = 'link'
),

pointers_0 as (
    select
        records.record_key,
        min(coalesce(  -- what a person decided comes before what the CRM did
            'crm|' || linked.other_source_relation || '|' || linked.other_source_id,
            case when apart.decision is null and back.source_id is null then targets.record_key end,
            records.record_key
        )) as points_at
    from records
    left join {{ ref('int_crm__account_merges') }} as merged
        on records.source_relation = merged.source_relation and records.source_id = merged.account_id
    left join records as targets
        on merged.source_relation = targets.source_relation and merged.merged_into_account_id = targets.source_id
    left join {{ ref('int_identities__overrides') }} as apart
        on records.source_relation = apart.source_relation and records.source_id = apart.source_id
        and apart.domain = 'crm' and apart.decision = 'keep_apart' and apart.other_domain = 'crm'
        and merged.source_relation = apart.other_source_relation and merged.merged_into_account_id = apart.other_source_id
    -- the CRM may have done the same the other way round: together, and no circle
    left join overrides as back
        on targets.source_relation = back.source_relation and targets.source_id = back.source_id
        and records.source_relation = back.other_source_relation and records.source_id = back.other_source_id
    left join overrides as linked
        on records.source_relation = linked.source_relation and records.source_id = linked.source_id
    group by records.record_key
),

{{ followed_pointers() }}

final as (
    select
        near.record_key,
        case when far.record_key = far.points_at then far.record_key else near.record_key end as survivor_key
    from pointers_5 as near
    left join pointers_5 as far on near.points_at = far.record_key
)

select * from final
