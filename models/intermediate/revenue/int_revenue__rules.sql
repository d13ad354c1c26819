with rules as (
    select * from {{ ref('metric_rules') }}
    where preset = '{{ var("mrr_rules") }}'
),

final as (
    select
        '{{ var("mrr_rules") }}' as preset,
        max(definition_version) as definition_version,
        max(case when rule = 'grace_days' then try_cast(value as int) end) as grace_days,
        max(case when rule = 'draft_grace_days' then try_cast(value as int) end) as draft_grace_days,
        max(case when rule = 'discounts' then value end) as discounts,
        max(case when rule = 'past_due' then value end) as past_due,
        max(case when rule = 'paused' then value end) as paused,
        max(case when rule = 'churn_timing' then value end) as churn_timing,
        max(case when rule = 'same_month_churn' then value end) as same_month_churn,
        max(case when rule = 'exchange_rate_max_age_days' then try_cast(value as int) end) as exchange_rate_max_age_days,
        max(case when rule = 'clv_lifetime_cap_years' then try_cast(value as double) end) as clv_lifetime_cap_years,
        max(case when rule = 'clv_minimum_customers' then try_cast(value as int) end) as clv_minimum_customers
    from rules
)

select * from final
