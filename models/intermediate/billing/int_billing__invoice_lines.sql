{{ config(materialized='view') }}
{% set columns = [
    'line_id', 'invoice_id', 'customer_id', 'subscription_id', 'plan_id', 'kind', 'quantity', 'unit_amount',
    'amount', 'discount_amount', 'currency', 'period_start', 'period_end', 'interval', 'interval_count',
    'is_proration',
] %}

with final as (
    {{ unify(['stg_own__invoice_lines', 'int_billing__stripe_invoice_lines'], columns) }}
)

select * from final
