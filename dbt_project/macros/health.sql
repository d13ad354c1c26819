{# The components of health and their measures. Seed health_thresholds says how each becomes points (a test holds the two together). #}
{% macro health_components() %}
    {{ return({
        'usage': ['active_days_28d', 'stickiness', 'use_trend', 'days_since_use'],
        'adoption': ['seat_use', 'feature_breadth', 'core_feature_share'],
        'engagement': ['touch_ratio', 'sponsor_active'],
        'outcomes': ['goal_pace', 'onboarding_steps'],
        'sentiment': ['nps_mean', 'csat_mean', 'ces_mean'],
        'support': ['open_escalations', 'oldest_ticket_days', 'urgent_tickets'],
        'commercial': ['days_past_due', 'failed_payments_90d', 'growth_180d', 'tenure_days'],
    }) }}
{% endmacro %}

{#
  Weighted mean of whole hundredths, rounded half up to a whole hundredth; NULL when nothing has data. `pairs` is a list of [points, weight]
  expressions; a pair whose points are NULL is left out. All integers, so both engines and any order of summation agree to the last digit.
#}
{% macro weighted_mean(pairs) -%}
    {%- set weights -%}
        (0{% for points, weight in pairs %} + case when {{ points }} is null then 0 else {{ weight }} end{% endfor %})
    {%- endset -%}
    cast(floor(
        cast(2 * (0{% for points, weight in pairs %} + coalesce({{ points }} * {{ weight }}, 0){% endfor %}) + {{ weights }} as double)
        / nullif(2 * {{ weights }}, 0)
    ) as bigint)
{%- endmacro %}

{#
  Take out of a daily health table what this run computes again: the run's days, days of customers whose identities changed or who are
  no more, and days past the retention (var health_history_days, plus `more_days`). `incoming`, if given, are the rows about to be
  inserted. Runs before the insert, in its transaction.
#}
{% macro forget_health_days(relation, more_days=0, incoming=none) -%}
    delete from {{ relation }}
    where as_of_date between {{ start_date() }} and {{ end_date() }}
        or as_of_date <= {{ as_of_date() }} - {{ var('health_history_days', 1100) + more_days }}
        or not exists (
            select 1 from {{ ref('int_identities__customers') }} as customers
            where customers.customer_id = {{ relation }}.customer_id
                and customers.identity_fingerprint = {{ relation }}.identity_fingerprint
        )
        {%- if incoming is not none %}
        or exists (
            select 1 from {{ incoming }} as incoming
            where incoming.customer_id = {{ relation }}.customer_id and incoming.as_of_date = {{ relation }}.as_of_date
        )
        {%- endif %}
{%- endmacro %}
