with landed as (
    {{ record_versions('own', 'invoice_lines') }}
),

final as (
    select
        landed.line_id,
        landed.invoice_id,
        landed.customer_id,
        landed.subscription_id,
        landed.plan_id,
        {{ clean_code('landed.kind') }} as kind,
        cast(landed.quantity as decimal(18,4)) as quantity,
        cast(landed.unit_amount as decimal(18,4)) as unit_amount,
        cast(landed.amount as decimal(18,4)) as amount,
        cast(landed.discount_amount as decimal(18,4)) as discount_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.period_start,
        landed.period_end,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        coalesce(landed.is_proration, false) as is_proration,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
