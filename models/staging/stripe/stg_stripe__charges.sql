with landed as (
    {{ record_versions('stripe', 'charges') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as payment_id,
        landed.invoice_id,
        landed.customer_id,
        landed.payment_intent_id,
        {{ clean_code('landed.status') }} as status,
        {{ from_minor_units('landed.amount') }} as amount,
        {{ from_minor_units('landed.amount_refunded') }} as amount_refunded,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.created as attempted_at,
        {{ clean_code('landed.failure_code') }} as failure_code,
        coalesce(landed.disputed, false) as is_disputed,
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
