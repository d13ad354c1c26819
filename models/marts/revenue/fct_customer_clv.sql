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

simple as (
    select
        chosen.customer_id,
        {{ as_of_date() }} as as_of_date,
        'simple' as estimator,
        {% for name, years in [('clv_amount', 'lifetime_years'), ('low', 'lifetime_years_low'), ('high', 'lifetime_years_high')] -%}
        {{ to_money('(cast(average_annual_revenue as double) * lifetimes.' ~ years ~ ' - cast(cost_counted as double))') }} as {{ name }},
        {% endfor -%}
        cast(null as double) as p_alive,
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
),

-- Of fitted models (orchestration/predict): what is still to come, discounted.
fitted as (
    select
        estimates.customer_id,
        estimates.as_of_date,
        estimates.estimator,
        {{ to_money('estimates.clv_amount') }} as clv_amount,
        {{ to_money('estimates.low') }} as low,
        {{ to_money('estimates.high') }} as high,
        estimates.p_alive,
        estimates.fitted_on,
        estimates.fitted_n,
        estimates.is_fallback,
        cast(null as decimal(18,4)) as average_annual_revenue,
        cast(null as double) as lifetime_years,
        costs.acquisition_cost,
        '{{ var("reporting_currency") }}' as currency,
        prediction_rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from {{ source('predictions', 'clv_estimates') }} as estimates
    inner join {{ ref('prediction_rules') }} as prediction_rules on prediction_rules.rule = 'annual_discount_rate'
    left join costs on estimates.customer_id = costs.customer_id
    where estimates.as_of_date = {{ as_of_date() }}
),

final as (
    select * from simple
    union all
    select * from fitted
)

select * from final
