-- How long customers of a segment stay: 1 / annual churn, where the annual churn is twelve months of the monthly logo churn of the
-- last twelve complete months (fewer in a young company), with a 95 % Wilson interval, and no lifetime is longer than the cap.
with states as (
    select * from {{ ref('int_revenue__month_states') }}
),

months as (
    select * from {{ ref('int_revenue__months') }}
    where is_complete and month >= {{ dbt.dateadd('month', -13, as_of_date()) }}
),

segments as (
    select * from {{ ref('int_revenue__customer_segments') }}
    where segment_kind in ('all', 'tier')
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

recent as (
    select month
    from months
    order by month desc nulls last
    limit 12
),

customer_months as (
    select
        states.customer_id,
        states.month,
        case when sum(states.closing_mrr) = 0 then 1 else 0 end as churned
    from states
    inner join recent
        on states.month = recent.month
    group by states.customer_id, states.month
    having sum(states.opening_mrr) > 0
),

counted as (
    select
        segments.segment_kind,
        segments.segment,
        count(distinct customer_months.customer_id) as customers,
        cast(count(customer_months.month) as double) as n,
        cast(coalesce(sum(customer_months.churned), 0) as double) as churned
    from segments
    left join customer_months
        on segments.customer_id = customer_months.customer_id
    group by segments.segment_kind, segments.segment
),

-- Wilson: (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) with z = 1.96
bounded as (
    select
        counted.*,
        churned / nullif(n, 0) as churn,
        1.96 * sqrt(churned / nullif(n, 0) * (1 - churned / nullif(n, 0)) / nullif(n, 0) + 0.9604 / nullif(n * n, 0)) as spread,
        1 + 3.8416 / nullif(n, 0) as scale
    from counted
),

annual as (
    select
        bounded.*,
        1 - power(1 - churn, 12) as annual_churn,
        1 - power(1 - greatest((churn + 1.9208 / nullif(n, 0) - spread) / scale, 0), 12) as annual_churn_low,
        1 - power(1 - (churn + 1.9208 / nullif(n, 0) + spread) / scale, 12) as annual_churn_high,
        rules.clv_lifetime_cap_years as cap
    from bounded
    cross join rules
),

final as (
    select
        segment_kind,
        segment,
        cast(customers as int) as customers_observed,
        cast(n as int) as customer_months,
        cast(churned as int) as churned_customers,
        case when n > 0 then annual_churn end as annual_churn,
        case when n > 0 then coalesce(least(cap, 1 / nullif(annual_churn, 0)), cap) end as lifetime_years,
        case when n > 0 then coalesce(least(cap, 1 / nullif(annual_churn_high, 0)), cap) end as lifetime_years_low,
        case when n > 0 then coalesce(least(cap, 1 / nullif(annual_churn_low, 0)), cap) end as lifetime_years_high
    from annual
)

select * from final
