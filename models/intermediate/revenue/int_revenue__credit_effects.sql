{{ config(materialized='view') }}
with final as (
    select
        source_relation,
        credit_id,
        line_id,
        source_customer_id,
        customer_id,
        subscription_id,
        plan_id,
        currency,
        monthly_rate,
        monthly_rate_reporting,
        active_from,
        active_until,
        known_from,
        known_until
    from {{ ref('int_revenue__ruled_lines') }}
    where rule_set = 0 and credit_id <> 'none'
)

select * from final
