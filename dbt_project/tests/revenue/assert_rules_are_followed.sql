-- Every preset, and what is in force, has every rule, and the models follow each of its values.
select *
from {{ ref('int_revenue__presets') }}
where
    definition_version is null
    or coalesce(discounts, '') not in ('net', 'net_forever_only')
    or coalesce(past_due, '') not in ('counts', 'unpaid_is_churn')
    or coalesce(paused, '') not in ('counts', 'zero')
    or coalesce(churn_timing, '') not in ('period_end', 'request')
    or coalesce(same_month_churn, '') not in ('left_out', 'counted')
    or (coalesce(auto_churn, '') <> 'never' and coalesce(auto_churn_days, 0) < 1)
    or (
        preset = 'in_force'
        and (
            coalesce(grace_days, -1) < 0
            or coalesce(draft_grace_days, -1) < 0
            or coalesce(exchange_rate_max_age_days, 0) < 1
            or coalesce(clv_lifetime_cap_years, 0) <= 0
            or coalesce(clv_minimum_customers, 0) < 1
        )
    )
