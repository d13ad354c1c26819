-- Whether a customer that only orders is still active. Inactive when more than inactivity_gap_factor times the usual gap has passed since
-- the last order: its own median gap, with too few orders the median of all gaps of its tier, or of everybody's where the tier has
-- none. Without any gap to go by, nothing can be said (NULL).
with gaps as (
    select * from {{ ref('int_churn__orders') }}
    where not has_subscribed
),

rules as (
    select
        max(case when rule = 'inactivity_gap_factor' then value end) as gap_factor,
        max(case when rule = 'inactivity_minimum_orders' then cast(value as int) end) as minimum_orders
    from {{ ref('churn_rules') }}
),

customers as (
    select
        customer_id,
        tier,
        count(*) as orders,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        median(gap_days) as own_gap_days
    from gaps
    group by customer_id, tier
),

tier_gaps as (
    select tier, median(gap_days) as gap_days
    from gaps
    group by tier
),

all_gaps as (
    select median(gap_days) as gap_days
    from gaps
),

usual as (
    select
        customers.*,
        rules.gap_factor,
        cast(case
            when customers.orders >= rules.minimum_orders then customers.own_gap_days
            else coalesce(tier_gaps.gap_days, all_gaps.gap_days)
        end as double) as usual_gap_days,
        case
            when customers.orders >= rules.minimum_orders then 'own'
            when tier_gaps.gap_days is not null then 'tier'
            when all_gaps.gap_days is not null then 'all'
        end as gap_from
    from customers
    cross join rules
    cross join all_gaps
    left join tier_gaps
        on customers.tier = tier_gaps.tier
),

final as (
    select
        customer_id,
        cast(orders as int) as orders,
        first_ordered_on,
        last_ordered_on,
        usual_gap_days,
        gap_from,
        -- the first day on which more than the allowed gap has passed
        cast(last_ordered_on + cast(floor(gap_factor * usual_gap_days) as int) + 1 as date) as inactive_from,
        {{ dbt.datediff('last_ordered_on', as_of_date(), 'day') }} > gap_factor * usual_gap_days as is_inactive
    from usual
)

select * from final
