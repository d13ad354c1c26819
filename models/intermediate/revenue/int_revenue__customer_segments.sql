-- The segments that a paying customer is reported under, one row per customer and kind. They are today's: a customer's whole history
-- stands under the tier and plan it has now, so that no month holds a movement between segments.
with customers as (
    select customer_id
    from {{ ref('int_revenue__mrr_intervals') }}
    group by customer_id
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

plans as (
    select * from {{ ref('int_revenue__customer_plans') }}
),

final as (
    select customer_id, 'all' as segment_kind, 'all' as segment
    from customers
    union all
    select customers.customer_id, 'tier' as segment_kind, coalesce(tiers.tier, 'unknown') as segment
    from customers
    left join tiers
        on customers.customer_id = tiers.customer_id
    union all
    select customers.customer_id, 'plan' as segment_kind, coalesce(plans.plan_name, 'unknown') as segment
    from customers
    left join plans
        on customers.customer_id = plans.customer_id
)

select * from final
