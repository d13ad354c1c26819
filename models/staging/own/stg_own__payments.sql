with landed as (
    {{ record_versions('own', 'payments') }}
),

final as (
    select
        landed.payment_id,
        landed.invoice_id,
        landed.customer_id,
        {{ clean_code('landed.status') }} as status,
        cast(landed.amount as decimal(18,4)) as amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.attempted_at,
        landed.failure_code,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
