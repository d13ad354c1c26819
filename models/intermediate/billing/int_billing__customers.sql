{{ config(materialized='view') }}
{% set columns = [
    'customer_id', 'account_id', 'name', 'email', 'domain', 'country', 'currency', 'created_at', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__customers', 'stg_stripe__customers'], columns) }}
)

select * from final
