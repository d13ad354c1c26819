{{ config(materialized='view') }}
{% set columns = [
    'invoice_id', 'customer_id', 'subscription_id', 'status', 'currency', 'total', 'amount_paid', 'issued_at',
    'due_at', 'paid_at', 'updated_at', 'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__invoices', 'stg_stripe__invoices'], columns) }}
)

select * from final
