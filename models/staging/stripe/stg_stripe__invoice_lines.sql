with landed as (
    {{ record_versions('stripe', 'invoice_lines') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.invoice_id,
        landed.id as invoice_line_id,
        case when landed.id like 'il_%' then landed.id else landed.invoice_id || '-' || landed.id end as line_id,
        landed.customer_id,
        landed.subscription_id,
        landed.subscription_item_id,
        landed.invoice_item_id,
        {{ clean_code('landed.type') }} as line_type,
        landed.price_id as plan_id,
        landed.product_id,
        {{ clean_text('landed.description') }} as description,
        cast(landed.quantity as decimal(18,4)) as quantity,
        {{ unit_price('landed.unit_amount', 'landed.unit_amount_decimal') }} as unit_amount,
        {{ from_minor_units('landed.amount') }} as amount,
        {{ from_minor_units('coalesce(landed.discount_amount, 0)') }} as discount_amount,
        {{ from_minor_units('coalesce(landed.tax_amount, 0)') }} as tax_amount,
        -- What landed before the column did says only whether the amount holds the tax.
        {{ from_minor_units('coalesce(landed.inclusive_tax_amount, case when landed.tax_inclusive then landed.tax_amount end, 0)') }}
            as inclusive_tax_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.period_start,
        landed.period_end,
        coalesce(landed.proration, false) as is_proration,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        {{ clean_code('landed.usage_type') }} as usage_type,
        landed.invoice_created as created_at,
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
