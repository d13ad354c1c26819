{{ config(materialized='view') }}
with final as (
    select
        month,
        customer_id,
        currency,
        opening_mrr,
        closing_mrr,
        year_before_mrr,
        new_mrr,
        reactivation_mrr,
        expansion_mrr,
        contraction_mrr,
        churn_mrr,
        fx_mrr
    from {{ ref('int_revenue__ruled_month_states') }}
    where rule_set = 0
)

select * from final
