with landed as (
    {{ record_versions('own', 'subscriptions') }}
),

final as (
    select
        landed.subscription_id,
        landed.customer_id,
        {{ clean_code('landed.status') }} as status,
        landed.plan_id,
        cast(landed.quantity as decimal(18,4)) as quantity,
        cast(landed.unit_amount as decimal(18,4)) as unit_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        landed.discount_percent,
        landed.discount_ends_at,
        landed.started_at,
        landed.trial_ends_at,
        landed.paused_at,
        landed.resumed_at,
        landed.cancel_requested_at,
        landed.canceled_at,
        landed.ended_at,
        landed.current_period_start,
        landed.current_period_end,
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
