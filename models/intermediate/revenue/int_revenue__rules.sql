{{ config(materialized='view') }}
with final as (
    select
        '{{ var("mrr_rules") }}' as preset,
        definition_version,
        grace_days,
        draft_grace_days,
        discounts,
        past_due,
        auto_churn,
        auto_churn_days,
        paused,
        churn_timing,
        same_month_churn,
        exchange_rate_max_age_days,
        clv_lifetime_cap_years,
        clv_minimum_customers
    from {{ ref('int_revenue__presets') }}
    where preset = 'in_force'
)

select * from final
