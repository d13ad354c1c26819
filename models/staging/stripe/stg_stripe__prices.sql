with landed as (
    {{ record_versions('stripe', 'prices') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as plan_id,
        landed.product_id,
        {{ clean_text('landed.nickname') }} as plan_name,
        {{ clean_code('landed.type') }} as price_type,
        {{ clean_code('landed.billing_scheme') }} as billing_scheme,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        {{ unit_price('landed.unit_amount', 'landed.unit_amount_decimal') }} as unit_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_code('landed.usage_type') }} as usage_type,
        landed.active as is_active,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.deleted, false) as is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
