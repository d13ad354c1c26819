-- What each month holds under each set of rules, all customers together, in the reporting currency. For a customer whom no rule can make
-- a difference the ledger in force is the ledger of every set.
{% set amounts = ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx', 'closing'] %}
{% set counts = ['closing_customers', 'churned_customers', 'same_month_churned_customers'] %}
with states as (
    select * from {{ ref('int_revenue__ruled_month_states') }}
),

rule_sets as (
    select * from {{ ref('int_revenue__rule_sets') }}
),

dependent as (
    select customer_id
    from {{ ref('int_revenue__ruled_lines') }}
    where is_rule_dependent
    group by customer_id
),

per_customer as (
    select
        {% for amount in amounts -%}
        sum({{ amount }}_mrr) as {{ amount }}_mrr,
        {% endfor -%}
        rule_set,
        month,
        customer_id
    from states
    group by rule_set, month, customer_id
),

grouped as (
    select
        per_customer.rule_set,
        per_customer.month,
        dependent.customer_id is not null as is_rule_dependent,
        {% for amount in amounts -%}
        sum({{ amount }}_mrr) as {{ amount }}_mrr,
        {% endfor -%}
        count(case when closing_mrr > 0 then 1 end) as closing_customers,
        count(case when opening_mrr > 0 and closing_mrr = 0 then 1 end) as churned_customers,
        count(case when opening_mrr = 0 and closing_mrr = 0 and new_mrr + reactivation_mrr > 0 then 1 end) as same_month_churned_customers
    from per_customer
    left join dependent
        on per_customer.customer_id = dependent.customer_id
    group by per_customer.rule_set, per_customer.month, dependent.customer_id is not null
),

final as (
    select
        rule_sets.rule_set,
        grouped.month,
        {% for amount in amounts -%}
        cast(sum({{ amount }}_mrr) as decimal(18,4)) as {{ amount }}_mrr,
        {% endfor -%}
        {% for count in counts -%}
        cast(sum({{ count }}) as int) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from grouped
    inner join rule_sets
        on grouped.rule_set = rule_sets.rule_set
            or (grouped.rule_set = 0 and not grouped.is_rule_dependent)
    group by rule_sets.rule_set, grouped.month
)

select * from final
