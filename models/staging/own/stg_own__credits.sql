with landed as (
    {{ record_versions('own', 'credits') }}
),

final as (
    select
        landed.credit_id,
        {{ clean_code('landed.kind') }} as kind,
        landed.customer_id,
        landed.invoice_id,
        landed.line_id,
        cast(landed.amount as decimal(18,4)) as amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.issued_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
