with landed as (
    {{ record_versions('stripe', 'credit_notes') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as credit_note_id,
        landed.customer_id,
        landed.invoice_id,
        {{ clean_code('landed.status') }} as status,
        {{ clean_code('landed.type') }} as credit_note_type,
        {{ clean_code('landed.reason') }} as reason,
        {{ from_minor_units('landed.subtotal') }} as subtotal,
        {{ from_minor_units('landed.total') }} as total,
        coalesce(landed.refund_ids, landed.refund_id) as refund_ids,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.voided_at,
        coalesce(landed.effective_at, landed.created) as issued_at,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
