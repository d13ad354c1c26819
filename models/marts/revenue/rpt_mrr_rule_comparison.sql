-- The rules in force turned into each preset's one at a time: what a month changes by at each step is what that rule causes. The steps
-- follow one another, so the causes add up to the difference with nothing left over.
{% set amounts = ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx', 'closing'] %}
with steps as (
    select * from {{ ref('int_revenue__rule_steps') }}
),

months as (
    select * from {{ ref('int_revenue__months') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

stepped as (
    select
        months.month,
        months.is_complete,
        steps.preset,
        steps.step,
        steps.cause,
        {% for amount in amounts -%}
        coalesce(held.{{ amount }}_mrr, 0) as {{ amount }}_mrr,
        {% endfor -%}
        coalesce(held.closing_customers, 0) as customers,
        coalesce(
            held.churned_customers + case when steps.same_month_churn = 'counted' then held.same_month_churned_customers else 0 end, 0
        ) as churned_customers
    from steps
    cross join months
    left join {{ ref('int_revenue__rule_set_months') }} as held
        on steps.rule_set = held.rule_set
            and months.month = held.month
),

compared as (
    select
        stepped.*,
        {% for amount in amounts -%}
        {{ amount }}_mrr - lag({{ amount }}_mrr) over by_step as {{ amount }}_mrr_difference,
        {% endfor -%}
        customers - lag(customers) over by_step as customers_difference,
        churned_customers - lag(churned_customers) over by_step as churned_customers_difference,
        {% for measure in ['closing_mrr', 'churned_customers'] -%}
        first_value({{ measure }}) over by_step as {{ measure }}_in_force,
        first_value({{ measure }}) over (partition by month, preset order by step desc) as {{ measure }}_of_preset{{ ',' if not loop.last }}
        {% endfor %}
    from stepped
    window by_step as (partition by month, preset order by step)
),

final as (
    select
        compared.month,
        compared.preset,
        compared.step,
        compared.cause,
        compared.is_complete,
        closing_mrr_in_force as mrr_in_force,
        closing_mrr_of_preset as mrr_of_preset,
        cast(closing_mrr_difference as decimal(18,4)) as mrr_difference,
        {% for amount in amounts if amount != 'closing' -%}
        cast({{ amount }}_mrr_difference as decimal(18,4)) as {{ 'churned' if amount == 'churn' else amount }}_mrr_difference,
        {% endfor -%}
        cast(customers_difference as int) as customers_difference,
        cast(churned_customers_in_force as int) as churned_customers_in_force,
        cast(churned_customers_of_preset as int) as churned_customers_of_preset,
        cast(churned_customers_difference as int) as churned_customers_difference,
        rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from compared
    cross join rules
    where step > 0
)

select * from final
