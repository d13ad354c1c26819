with landed as (
    {{ record_versions('stripe', 'subscription_items') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as subscription_item_id,
        landed.subscription_id,
        landed.price_id as plan_id,
        landed.product_id,
        cast(landed.quantity as decimal(18,4)) as quantity,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ unit_price('landed.unit_amount', 'landed.unit_amount_decimal') }} as unit_amount,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        {{ clean_code('landed.usage_type') }} as usage_type,
        landed.current_period_start,
        landed.current_period_end,
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
