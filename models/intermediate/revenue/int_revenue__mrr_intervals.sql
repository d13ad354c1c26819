{{ config(materialized='view') }}
with final as (
    select
        customer_id,
        currency,
        valid_from,
        valid_to,
        mrr_amount,
        mrr_reporting_amount
    from {{ ref('int_revenue__ruled_intervals') }}
    where rule_set = 0
)

select * from final
