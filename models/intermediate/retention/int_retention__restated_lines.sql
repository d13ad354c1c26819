-- What was learned since the end of the month about each line and credit that counts otherwise than it did.
with restated as (
    select * from {{ ref('int_retention__closing_changes') }}
),

lines as (
    select * from {{ ref('int_revenue__recurring_lines') }}
),

invoices as (
    select * from {{ ref('int_revenue__counted_invoices') }}
),

{% for name, day in [('then', 'restated.closes_on'), ('now', as_of_date())] -%}
-- The line and its invoice as known {{ 'at the end of the month' if name == 'then' else 'now' }}; without an invoice that counts, issued_on is NULL.
known_{{ name }} as (
    select
        restated.month,
        restated.source_relation,
        restated.line_id,
        max(lines.period_start_on) as period_start_on,
        max(lines.period_end_on) as period_end_on,
        max(lines.invoice_id) as invoice_id,
        max(lines.customer_id) as customer_id,
        max(lines.currency) as currency,
        max(lines.monthly_rate) as monthly_rate,
        max(invoices.issued_on) as issued_on
    from restated
    inner join lines
        on restated.source_relation = lines.source_relation
            and restated.line_id = lines.line_id
            and lines.known_from <= {{ day }}
            and (lines.known_until is null or lines.known_until > {{ day }})
    left join invoices
        on lines.source_relation = invoices.source_relation
            and lines.invoice_id = invoices.invoice_id
            and invoices.known_from <= {{ day }}
            and (invoices.known_until is null or invoices.known_until > {{ day }})
    group by restated.month, restated.source_relation, restated.line_id
),

{% endfor -%}
standing_invoices as (
    select source_relation, invoice_id
    from {{ ref('int_billing__invoices') }}
    where is_current
),

final as (
    select
        restated.month,
        restated.source_relation,
        restated.record,
        restated.record_id,
        restated.customer_id,
        restated.currency,
        cast(restated.mrr_now - restated.mrr_then as decimal(28,10)) as amount,
        case
            when restated.record = 'credit' and whole.line_id is null then 'credit_note'
            when known_now.line_id is null or (known_now.issued_on is null and standing_invoices.invoice_id is null) then 'tombstone'
            when known_now.issued_on is null then 'voided_invoice'
            when known_now.issued_on > restated.closes_on then 'backdated_invoice'
            when known_then.line_id is null or known_then.issued_on is null then 'late_arrival'
            when known_now.period_start_on <> known_then.period_start_on or known_now.period_end_on <> known_then.period_end_on then 'correction'
            when known_now.customer_id <> known_then.customer_id or known_now.currency <> known_then.currency then 'correction'
            when known_now.monthly_rate <> known_then.monthly_rate then 'correction'
            when restated.mrr_now = 0 or restated.mrr_then = 0 then 'subscription_end'
            else 'correction'
        end as cause
    from restated
    left join restated as whole
        on whole.record = 'line'
            and restated.month = whole.month
            and restated.source_relation = whole.source_relation
            and restated.line_id = whole.line_id
            and restated.customer_id = whole.customer_id
    left join known_then
        on restated.month = known_then.month
            and restated.source_relation = known_then.source_relation
            and restated.line_id = known_then.line_id
    left join known_now
        on restated.month = known_now.month
            and restated.source_relation = known_now.source_relation
            and restated.line_id = known_now.line_id
    left join standing_invoices
        on known_now.source_relation = standing_invoices.source_relation
            and known_now.invoice_id = standing_invoices.invoice_id
)

select * from final
