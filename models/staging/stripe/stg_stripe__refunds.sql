with landed as (
    {{ record_versions('stripe', 'refunds') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as refund_id,
        landed.charge_id as payment_id,
        landed.payment_intent_id,
        {{ clean_code('landed.status') }} as status,
        {{ clean_code('landed.reason') }} as reason,
        {{ from_minor_units('landed.amount') }} as amount,
        upper({{ clean_text('landed.currency') }}) as currency,
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
