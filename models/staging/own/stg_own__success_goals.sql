with landed as (
    {{ record_versions('own', 'success_goals') }}
),

final as (
    select
        landed.goal_id,
        {{ clean_text('landed.account_id') }} as account_id,
        landed.outcome,
        landed.metric,
        landed.baseline,
        landed.target,
        landed.current_value,
        landed.due_on,
        landed.achieved_at,
        cast(landed.value_realized as decimal(18,4)) as value_realized,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
