with landed as (
    {{ record_versions('own', 'plans') }}
),

final as (
    select
        landed.plan_id,
        landed.product_id,
        {{ clean_text('landed.product_name') }} as product_name,
        {{ clean_text('landed.plan_name') }} as plan_name,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        cast(landed.unit_amount as decimal(18,4)) as unit_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
