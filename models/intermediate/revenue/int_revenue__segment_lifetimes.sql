-- How long customers of a segment stay: of those that paid a year ago (or when the history is shorter, at its start), who still does?
-- With a 95 % Wilson interval of the churn, and everything scaled to a year.
with intervals as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

segments as (
    select * from {{ ref('int_revenue__customer_segments') }}
    where segment_kind in ('all', 'tier')
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

history as (
    select
        greatest(min(valid_from), cast({{ dbt.dateadd('month', -12, as_of_date()) }} as date)) as observed_from
    from intervals
),

observed as (
    select
        intervals.customer_id,
        max(case when intervals.valid_from <= history.observed_from
            and (intervals.valid_to is null or intervals.valid_to > history.observed_from) then 1 else 0 end) as paid_then,
        max(case when intervals.valid_to is null then 1 else 0 end) as pays_now
    from intervals
    cross join history
    group by intervals.customer_id
),

counted as (
    select
        segments.segment_kind,
        segments.segment,
        cast(sum(observed.paid_then) as double) as n,
        cast(sum(case when observed.pays_now = 0 then observed.paid_then else 0 end) as double) as churned
    from segments
    inner join observed
        on segments.customer_id = observed.customer_id
    group by segments.segment_kind, segments.segment
),

-- Wilson: (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) with z = 1.96
bounded as (
    select
        segment_kind,
        segment,
        n,
        churned,
        churned / nullif(n, 0) as churn,
        (churned / nullif(n, 0) + 1.9208 / nullif(n, 0) - 1.96 * sqrt(
            greatest(churned / nullif(n, 0) * (1 - churned / nullif(n, 0)), 0) / nullif(n, 0) + 0.9604 / nullif(n * n, 0)
        )) / (1 + 3.8416 / nullif(n, 0)) as churn_low,
        (churned / nullif(n, 0) + 1.9208 / nullif(n, 0) + 1.96 * sqrt(
            greatest(churned / nullif(n, 0) * (1 - churned / nullif(n, 0)), 0) / nullif(n, 0) + 0.9604 / nullif(n * n, 0)
        )) / (1 + 3.8416 / nullif(n, 0)) as churn_high
    from counted
),

-- A history shorter than a month says nothing about years.
annual as (
    select
        bounded.*,
        rules.clv_lifetime_cap_years as cap,
        365.0e0 / nullif(case when days >= 28 then least(days, 365) end, 0) as years_factor
    from bounded
    cross join rules
    cross join (
        select {{ dbt.datediff('observed_from', as_of_date(), 'day') }} as days from history
    ) as span
),

final as (
    select
        segment_kind,
        segment,
        cast(n as int) as base_customers,
        cast(churned as int) as churned_customers,
        1 - power(1 - churn, years_factor) as annual_churn,
        {% for name, churn in [('lifetime_years', 'churn'), ('lifetime_years_low', 'churn_high'), ('lifetime_years_high', 'churn_low')] -%}
        case
            when {{ churn }} is null or years_factor is null then null
            when {{ churn }} <= 0 then cap
            else least(cap, 1 / nullif(1 - power(1 - {{ churn }}, years_factor), 0))
        end as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from annual
)

select * from final
