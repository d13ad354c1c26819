with customers as (
    select * from {{ ref('int_revenue__customer_revenue') }}
),

segments as (
    select * from {{ ref('int_revenue__customer_segments') }}
    where segment_kind = 'tier'
),

lifetimes as (
    select * from {{ ref('int_revenue__segment_lifetimes') }}
),

costs as (
    select * from {{ ref('int_revenue__acquisition_costs') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

-- A tier with too few customers to observe borrows the churn of all.
chosen as (
    select
        customers.customer_id,
        customers.average_annual_revenue,
        coalesce(costs.acquisition_cost, 0) as cost_counted,
        costs.acquisition_cost,
        coalesce(tier_lifetimes.customers_observed, 0) < rules.clv_minimum_customers as is_fallback,
        segments.segment as tier,
        rules.definition_version
    from customers
    cross join rules
    left join segments
        on customers.customer_id = segments.customer_id
    left join lifetimes as tier_lifetimes
        on tier_lifetimes.segment_kind = 'tier'
            and segments.segment = tier_lifetimes.segment
    left join costs
        on customers.customer_id = costs.customer_id
),

final as (
    select
        chosen.customer_id,
        {{ as_of_date() }} as as_of_date,
        'simple' as estimator,
        {% for name, years in [('clv_amount', 'lifetime_years'), ('low', 'lifetime_years_low'), ('high', 'lifetime_years_high')] -%}
        {{ to_money('(cast(average_annual_revenue as double) * lifetimes.' ~ years ~ ' - cast(cost_counted as double))') }} as {{ name }},
        {% endfor -%}
        case when chosen.is_fallback then 'all' else 'tier: ' || chosen.tier end as fitted_on,
        lifetimes.customers_observed as fitted_n,
        chosen.is_fallback,
        chosen.average_annual_revenue,
        lifetimes.lifetime_years,
        chosen.acquisition_cost,
        '{{ var("reporting_currency") }}' as currency,
        chosen.definition_version,
        '{{ var("run_id") }}' as run_id
    from chosen
    left join lifetimes
        on lifetimes.segment_kind = case when chosen.is_fallback then 'all' else 'tier' end
            and lifetimes.segment = case when chosen.is_fallback then 'all' else chosen.tier end
)

select * from final
