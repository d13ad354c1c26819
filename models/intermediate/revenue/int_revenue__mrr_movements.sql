{{ config(materialized='view') }}
with final as (
    select
        customer_id,
        currency,
        moved_on,
        movement,
        mrr_before,
        mrr_after,
        mrr_change,
        mrr_change_reporting
    from {{ ref('int_revenue__ruled_movements') }}
    where rule_set = 0
)

select * from final
