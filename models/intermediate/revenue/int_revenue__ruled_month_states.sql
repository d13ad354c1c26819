-- What each customer paid in each currency, under each set of rules, before and after each month, and a year before, in the reporting
-- currency, with the movements between. Only months in which there is something.
with months as (
    select * from {{ ref('int_revenue__months') }}
),

intervals as (
    select * from {{ ref('int_revenue__ruled_intervals') }}
    where mrr_amount > 0
),

movements as (
    select * from {{ ref('int_revenue__ruled_movements') }}
),

moments as (
    select month, 'opening' as moment, opens_on as on_date from months
    union all
    select month, 'closing' as moment, closes_on as on_date from months
    union all
    select month, 'year_before' as moment, year_before_on as on_date from months
),

states as (
    select
        moments.month,
        intervals.rule_set,
        intervals.customer_id,
        intervals.currency,
        moments.moment,
        intervals.mrr_reporting_amount as amount
    from moments
    inner join intervals
        on intervals.valid_from <= moments.on_date
            and (intervals.valid_to is null or intervals.valid_to > moments.on_date)
    union all
    select
        cast(date_trunc('month', moved_on) as date) as month,
        rule_set,
        customer_id,
        currency,
        movement as moment,
        mrr_change_reporting as amount
    from movements
),

final as (
    select
        month,
        rule_set,
        customer_id,
        currency,
        {% for moment in ['opening', 'closing', 'year_before', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx'] -%}
        cast(sum(case when moment = '{{ moment }}' then amount else 0 end) as decimal(18,4)) as {{ moment }}_mrr{{ ',' if not loop.last }}
        {% endfor %}
    from states
    group by month, rule_set, customer_id, currency
)

select * from final
