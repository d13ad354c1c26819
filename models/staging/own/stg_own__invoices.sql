with landed as (
    {{ record_versions('own', 'invoices') }}
),

final as (
    select
        landed.invoice_id,
        landed.customer_id,
        landed.subscription_id,
        {{ clean_code('landed.status') }} as status,
        upper({{ clean_text('landed.currency') }}) as currency,
        cast(landed.total as decimal(18,4)) as total,
        cast(landed.amount_paid as decimal(18,4)) as amount_paid,
        landed.issued_at,
        landed.due_at,
        landed.paid_at,
        landed.updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
