{{ config(materialized='view') }}
{% set columns = [
    'payment_id', 'invoice_id', 'customer_id', 'status', 'amount', 'currency', 'attempted_at', 'failure_code',
] %}

with final as (
    {{ unify(['stg_own__payments', 'stg_stripe__charges'], columns) }}
)

select * from final
