-- Customers that only order: one-time charges, never a recurring line. One day with orders is one order. Inactive when more than
-- inactivity_gap_factor times the usual gap has passed since the last one: its own median gap, with too few orders the median of all
-- gaps of its tier, or of everybody's where the tier has none. Without any gap to go by, nothing can be said (NULL).
with bookings as (
    select * from {{ ref('int_retention__bookings') }}
    where record = 'invoice_line'
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

rules as (
    select
        max(case when rule = 'inactivity_gap_factor' then value end) as gap_factor,
        max(case when rule = 'inactivity_minimum_orders' then cast(value as int) end) as minimum_orders
    from {{ ref('churn_rules') }}
),

ordered as (
    select
        nodes.customer_id,
        coalesce(tiers.tier, 'unknown') as tier,
        bookings.booked_on as ordered_on
    from bookings
    inner join nodes
        on bookings.source_relation = nodes.source_relation
            and bookings.source_customer_id = nodes.source_id
    left join tiers
        on nodes.customer_id = tiers.customer_id
    group by nodes.customer_id, tiers.tier, bookings.booked_on
    having max(case when bookings.kind = 'one_time' and bookings.amount > 0 then 1 else 0 end) = 1
),

subscribed as (
    select nodes.customer_id
    from {{ ref('int_billing__invoice_lines') }} as lines
    inner join nodes
        on lines.source_relation = nodes.source_relation
            and lines.customer_id = nodes.source_id
    where lines.kind = 'recurring'
    group by nodes.customer_id
),

gaps as (
    select
        ordered.*,
        {{ dbt.datediff('lag(ordered_on) over (partition by ordered.customer_id order by ordered_on)', 'ordered_on', 'day') }} as gap_days
    from ordered
    left join subscribed
        on ordered.customer_id = subscribed.customer_id
    where subscribed.customer_id is null
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
