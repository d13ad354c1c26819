{% set amounts = ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx', 'closing', 'year_before'] %}
-- Customers and revenue of each segment from month to month: the sums that retention, churn and lifetime are made of.
with months as (
    select * from {{ ref('int_revenue__months') }}
),

states as (
    select * from {{ ref('int_revenue__month_states') }}
),

costs as (
    select * from {{ ref('int_revenue__acquisition_costs') }}
),

customers as (
    select customer_id, segment_kind, segment
    from {{ ref('int_revenue__customer_segments') }}
    union all
    select customer_id, 'cohort' as segment_kind, substr(cast(cohort_month as string), 1, 7) as segment
    from {{ ref('int_retention__cohorts') }}
),

segmented as (
    select states.*, customers.segment_kind, customers.segment
    from states
    inner join customers
        on states.customer_id = customers.customer_id
    union all
    select states.*, 'currency' as segment_kind, states.currency as segment
    from states
),

per_customer as (
    select
        month,
        segment_kind,
        segment,
        customer_id,
        {% for amount in amounts -%}
        sum({{ amount }}_mrr) as {{ amount }}_mrr{{ ',' if not loop.last }}
        {% endfor %}
    from segmented
    group by month, segment_kind, segment, customer_id
),

segments as (
    select segment_kind, segment
    from segmented
    group by segment_kind, segment
),

-- Every month of every segment, also one in which nobody paid; of a cohort from its own month on.
final as (
    select
        months.month,
        months.is_complete,
        segments.segment_kind,
        segments.segment,
        cast(count(case when opening_mrr > 0 then 1 end) as int) as opening_customers,
        cast(count(case when closing_mrr > 0 then 1 end) as int) as closing_customers,
        cast(count(case when opening_mrr > 0 and closing_mrr = 0 then 1 end) as int) as lost_customers,
        cast(count(case when opening_mrr = 0 and closing_mrr = 0 and churn_mrr < 0 then 1 end) as int) as same_month_customers,
        {% for amount in amounts -%}
        cast(coalesce(sum({{ amount }}_mrr), 0) as decimal(18,4)) as {{ amount }}_mrr,
        {% endfor -%}
        {% for base, form in [('opening', '1m'), ('year_before', '12m')] -%}
        cast(coalesce(sum(case when {{ base }}_mrr > 0 then closing_mrr end), 0) as decimal(18,4)) as mrr_of_base_{{ form }},
        cast(coalesce(sum(case when {{ base }}_mrr > 0 then least(closing_mrr, {{ base }}_mrr) end), 0) as decimal(18,4)) as kept_of_base_{{ form }},
        {% endfor -%}
        {{ to_money('avg(case when closing_mrr > 0 then cast(costs.acquisition_cost as double) end)') }} as acquisition_cost
    from months
    inner join segments
        on segments.segment_kind <> 'cohort' or segments.segment <= substr(cast(months.month as string), 1, 7)
    left join per_customer
        on months.month = per_customer.month
            and segments.segment_kind = per_customer.segment_kind
            and segments.segment = per_customer.segment
    left join costs
        on per_customer.customer_id = costs.customer_id
    group by months.month, months.is_complete, segments.segment_kind, segments.segment
)

select * from final
