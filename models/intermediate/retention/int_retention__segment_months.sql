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

-- Over all currencies of a customer before it is counted in each of its segments.
per_customer as (
    select
        month,
        customer_id,
        {% for amount in amounts -%}
        sum({{ amount }}_mrr) as {{ amount }}_mrr{{ ',' if not loop.last }}
        {% endfor %}
    from states
    group by month, customer_id
),

segmented as (
    select per_customer.*, customers.segment_kind, customers.segment
    from per_customer
    inner join customers
        on per_customer.customer_id = customers.customer_id
    union all
    select
        month,
        customer_id,
        {% for amount in amounts -%}
        {{ amount }}_mrr,
        {% endfor -%}
        'currency' as segment_kind,
        currency as segment
    from states
),

counted as (
    select
        segmented.month,
        segmented.segment_kind,
        segmented.segment,
        count(case when opening_mrr > 0 then 1 end) as opening_customers,
        count(case when closing_mrr > 0 then 1 end) as closing_customers,
        count(case when opening_mrr > 0 and closing_mrr = 0 then 1 end) as lost_customers,
        count(case when opening_mrr = 0 and closing_mrr = 0 and churn_mrr < 0 then 1 end) as same_month_customers,
        {% for amount in amounts -%}
        sum({{ amount }}_mrr) as {{ amount }}_mrr,
        {% endfor -%}
        {% for base, form in [('opening', '1m'), ('year_before', '12m')] -%}
        sum(case when {{ base }}_mrr > 0 then closing_mrr end) as mrr_of_base_{{ form }},
        sum(case when {{ base }}_mrr > 0 then least(closing_mrr, {{ base }}_mrr) end) as kept_of_base_{{ form }},
        {% endfor -%}
        {{ to_money('avg(case when closing_mrr > 0 then cast(costs.acquisition_cost as double) end)') }} as acquisition_cost
    from segmented
    left join costs
        on segmented.customer_id = costs.customer_id
    group by segmented.month, segmented.segment_kind, segmented.segment
),

segments as (
    select segment_kind, segment
    from counted
    group by segment_kind, segment
),

-- Every month of every segment, also one in which nobody paid; of a cohort from its own month on.
final as (
    select
        months.month,
        months.is_complete,
        segments.segment_kind,
        segments.segment,
        {% for customers in ['opening', 'closing', 'lost', 'same_month'] -%}
        cast(coalesce(counted.{{ customers }}_customers, 0) as int) as {{ customers }}_customers,
        {% endfor -%}
        {% for amount in amounts -%}
        cast(coalesce(counted.{{ amount }}_mrr, 0) as decimal(18,4)) as {{ amount }}_mrr,
        {% endfor -%}
        {% for form in ['1m', '12m'] -%}
        cast(coalesce(counted.mrr_of_base_{{ form }}, 0) as decimal(18,4)) as mrr_of_base_{{ form }},
        cast(coalesce(counted.kept_of_base_{{ form }}, 0) as decimal(18,4)) as kept_of_base_{{ form }},
        {% endfor -%}
        counted.acquisition_cost
    from months
    inner join segments
        on segments.segment_kind <> 'cohort' or segments.segment <= substr(cast(months.month as string), 1, 7)
    left join counted
        on months.month = counted.month
            and segments.segment_kind = counted.segment_kind
            and segments.segment = counted.segment
)

select * from final
