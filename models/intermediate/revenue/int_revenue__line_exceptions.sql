-- Recurring lines that need a look, with the cause. is_counted says whether the line is in the ledger all the same.
with lines as (
    select * from {{ ref('int_revenue__recurring_lines') }}
    where known_until is null
),

invoices as (
    select * from {{ ref('int_billing__invoices') }}
    where is_current
),

reasoned as (
    select
        lines.source_relation,
        lines.line_id,
        lines.invoice_id,
        lines.source_customer_id,
        lines.currency,
        lines.period_start_on,
        lines.net_amount,
        case
            when lines.net_amount = 0 or invoices.status in ('void', 'voided', 'deleted') then null
            when lines.exception_reason is not null then lines.exception_reason
            when invoices.invoice_id is null then 'unknown_invoice'
            when invoices.status not in ('open', 'paid', 'uncollectible', 'draft') then 'unknown_invoice_status'
            when lines.is_price_mismatch then 'price_mismatch'
        end as reason
    from lines
    left join invoices
        on lines.source_relation = invoices.source_relation
            and lines.invoice_id = invoices.invoice_id
),

final as (
    select
        reasoned.*,
        reason = 'price_mismatch' as is_counted,
        reason not in ('price_mismatch', 'proration_without_period') as is_blocking
    from reasoned
    where reason is not null
)

select * from final
