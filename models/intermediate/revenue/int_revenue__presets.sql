-- The rules of each preset, and those in force: the preset that the setting names, with single rules overridden.
{% set overrides = var('mrr_rule_overrides', {}) %}
with seeded as (
    select * from {{ ref('metric_rules') }}
),

named as (
    select preset, rule, value, definition_version
    from seeded
    where preset <> 'house'
    union all
    select
        'in_force' as preset,
        rule,
        {% if overrides -%}
        case rule {% for rule, value in overrides.items() %}when '{{ rule }}' then '{{ value }}' {% endfor %}else value end as value,
        {%- else -%}
        value,
        {%- endif %}
        definition_version
    from seeded
    where preset in ('{{ var("mrr_rules") }}', 'house')
),

final as (
    select
        preset,
        max(definition_version){% for rule, value in overrides.items() %}
        || case when preset = 'in_force' then ' {{ rule }}={{ value }}' else '' end{% endfor %} as definition_version,
        {% for rule in ['discounts', 'past_due', 'paused', 'churn_timing', 'same_month_churn'] -%}
        max(case when rule = '{{ rule }}' then value end) as {{ rule }},
        {% endfor -%}
        max(case when rule = 'auto_churn_days' then value end) as auto_churn,
        max(case when rule = 'auto_churn_days' then try_cast(value as int) end) as auto_churn_days,
        {% for rule in ['grace_days', 'draft_grace_days', 'exchange_rate_max_age_days', 'clv_minimum_customers'] -%}
        max(case when rule = '{{ rule }}' then try_cast(value as int) end) as {{ rule }},
        {% endfor -%}
        max(case when rule = 'clv_lifetime_cap_years' then try_cast(value as double) end) as clv_lifetime_cap_years
    from named
    group by preset
)

select * from final
