-- The way from the rules in force to each preset, one rule at a time in a fixed order: after step n the first n rules are the preset's.
-- Steps with the same rules share a rule_set (0 = in force), so that no ledger is computed twice. The last step changes counts only.
{% set ledger_rules = ['discounts', 'past_due', 'auto_churn', 'paused', 'churn_timing'] %}
{% set causes = ['in_force', 'discounts', 'past_due', 'auto_churn_days', 'paused', 'churn_timing', 'same_month_churn'] %}
with presets as (
    select * from {{ ref('int_revenue__presets') }}
    where preset <> 'in_force'
),

in_force as (
    select * from {{ ref('int_revenue__presets') }}
    where preset = 'in_force'
),

stepped as (
    {% for cause in causes -%}
    {%- set step = loop.index0 -%}
    select
        presets.preset,
        {{ step }} as step,
        '{{ cause }}' as cause,
        {% for rule in ledger_rules -%}
        {{ 'presets' if loop.index <= step else 'in_force' }}.{{ rule }},
        {% endfor -%}
        {{ 'presets' if step >= causes.index('auto_churn_days') else 'in_force' }}.auto_churn_days,
        {{ 'presets' if step >= causes.index('same_month_churn') else 'in_force' }}.same_month_churn
    from presets
    cross join in_force
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

signed as (
    select
        stepped.*,
        {{ ledger_rules | join(" || '|' || ") }} as signature
    from stepped
),

compared as (
    select
        signed.*,
        max(case when step = 0 then signature end) over () as signature_in_force
    from signed
),

final as (
    select
        preset,
        step,
        cause,
        discounts,
        past_due,
        auto_churn_days,
        paused,
        churn_timing,
        same_month_churn,
        dense_rank() over (
            order by case when signature = signature_in_force then 0 else 1 end, signature
        ) - 1 as rule_set
    from compared
)

select * from final
