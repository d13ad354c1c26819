-- Each recurring line and each credit note on one, under each set of rules: at which rate and on which days it counts. The set in force (0) for
-- everybody and for every stretch of days on which it was known so; another set only as known at as_of_date, and only for customers
-- for whom it can make a difference: all others have the ledger in force under every rule.
{% set rates = ['monthly_rate', 'monthly_rate_reporting'] %}
{% set columns = [
    'source_relation', 'line_id', 'source_customer_id', 'customer_id', 'subscription_id', 'plan_id', 'currency', 'net_amount',
    'monthly_rate', 'monthly_rate_reporting', 'full_monthly_rate', 'full_monthly_rate_reporting', 'is_discount_lasting',
    'period_start_on', 'period_end_on', 'ended_on', 'requested_on', 'known_from', 'known_until',
] %}
with lines as (
    select 'none' as credit_id, {{ columns | join(', ') }}
    from {{ ref('int_revenue__billed_lines') }}
    union all
    select credit_id, {{ columns | join(', ') | replace('net_amount', 'cast(null as decimal(28,10)) as net_amount') }}
    from {{ ref('int_revenue__billed_credits') }}
),

rule_sets as (
    select * from {{ ref('int_revenue__rule_sets') }}
),

dependent as (
    select customer_id
    from lines
    where
        (full_monthly_rate <> monthly_rate and not is_discount_lasting)
        or requested_on < coalesce(ended_on, cast('9999-12-31' as date))
    union
    select customer_id
    from {{ ref('int_revenue__suspensions') }}
),

ruled as (
    select
        rule_sets.rule_set,
        dependent.customer_id is not null as is_rule_dependent,
        lines.source_relation,
        lines.line_id,
        lines.credit_id,
        lines.source_customer_id,
        lines.customer_id,
        lines.subscription_id,
        lines.plan_id,
        lines.currency,
        lines.net_amount,
        {% for rate in rates -%}
        case
            when rule_sets.discounts = 'net_forever_only' and not lines.is_discount_lasting then lines.full_{{ rate }}
            else lines.{{ rate }}
        end as {{ rate }},
        {% endfor -%}
        lines.period_start_on as active_from,
        case
            when rule_sets.churn_timing = 'request' then least(lines.period_end_on, lines.ended_on, lines.requested_on)
            else least(lines.period_end_on, lines.ended_on)
        end as active_until,
        lines.known_from,
        lines.known_until
    from lines
    left join dependent
        on lines.customer_id = dependent.customer_id
    inner join rule_sets
        on rule_sets.rule_set = 0
            or (
                dependent.customer_id is not null
                and lines.known_from <= {{ as_of_date() }}
                and (lines.known_until is null or lines.known_until > {{ as_of_date() }})
            )
),

final as (
    select * from ruled
    where active_until > active_from
)

select * from final
