with landed as (
    {{ record_versions('hubspot', 'success_goals') }}
),

final as (
    select
        landed.id as goal_id,
        {{ clean_text('landed.company_id') }} as account_id,
        {{ clean_text('landed.outcome') }} as outcome,
        {{ clean_text('landed.metric') }} as metric,
        landed.baseline,
        landed.target,
        landed.current_value,
        landed.due_on,
        landed.achieved_at,
        cast(landed.value_realized as decimal(18,4)) as value_realized,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.hs_createdate as created_at,
        landed.hs_lastmodifieddate as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
