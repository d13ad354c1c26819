with landed as (
    {{ record_versions('stripe', 'coupons') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as coupon_id,
        {{ clean_text('landed.name') }} as coupon_name,
        landed.percent_off,
        {{ from_minor_units('landed.amount_off') }} as amount_off,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_code('landed.duration') }} as duration,
        landed.duration_in_months,
        landed.valid as is_valid,
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
