{{ config(materialized='view') }}
{% set columns = [
    'credit_id', 'kind', 'customer_id', 'invoice_id', 'line_id', 'amount', 'currency', 'issued_at',
] %}

with final as (
    {{ unify(['stg_own__credits', 'int_billing__stripe_credits'], columns) }}
)

select * from final
