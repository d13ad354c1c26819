with plans as (
    select * from {{ ref('int_billing__plans') }}
    where is_current
),

final as (
    select
        source_relation,
        plan_id,
        product_id,
        product_name,
        coalesce(plan_name, product_name, plan_id) as plan_name,
        plans.interval as billing_interval,
        cast(coalesce(interval_count, 1) as int) as billing_interval_count,
        unit_amount,
        currency,
        '{{ var("run_id") }}' as run_id
    from plans
)

select * from final
