{{ config(materialized='view') }}
{% set columns = [
    'plan_id', 'product_id', 'product_name', 'plan_name', 'interval', 'interval_count', 'unit_amount',
    'currency',
] %}

with final as (
    {{ unify(['stg_own__plans', 'int_billing__stripe_plans'], columns) }}
)

select * from final
