-- The preset exists and has every rule, and the models follow each of its values.
select *
from {{ ref('int_revenue__rules') }}
where
    definition_version is null
    or coalesce(grace_days, -1) < 0
    or coalesce(draft_grace_days, -1) < 0
    or coalesce(discounts, '') <> 'net'
    or coalesce(past_due, '') <> 'counts'
    or coalesce(paused, '') <> 'counts'
    or coalesce(churn_timing, '') not in ('period_end', 'request')
    or coalesce(same_month_churn, '') <> 'left_out'
    or coalesce(exchange_rate_max_age_days, 0) < 1
    or coalesce(clv_lifetime_cap_years, 0) <= 0
    or coalesce(clv_minimum_customers, 0) < 1
