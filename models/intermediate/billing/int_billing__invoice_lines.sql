{{ config(materialized='view') }}
{% set columns = [
    'line_id', 'invoice_id', 'customer_id', 'subscription_id', 'plan_id', 'kind', 'quantity', 'unit_amount',
    'amount', 'discount_amount', 'currency', 'period_start', 'period_end', 'interval', 'interval_count',
    'is_proration',
] %}

with lines as (
    {{ unify(['stg_own__invoice_lines', 'int_billing__stripe_invoice_lines'], columns) }}
),

to_come as (
    select * from {{ ref('stg_own__invoices_to_come') }}
),

final as (
    select lines.*
    from lines
    left join to_come on lines.source_relation = to_come.source_relation and lines.invoice_id = to_come.invoice_id
    where to_come.invoice_id is null
)

select * from final
