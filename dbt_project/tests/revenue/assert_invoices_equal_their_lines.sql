-- The lines of an invoice add up to its total, to one minor unit a line. Drafts still change; a source without totals cannot be held against them.
with invoices as (
    select * from {{ ref('int_billing__invoices') }}
    where is_current and status <> 'draft' and total is not null
),

lines as (
    select
        source_relation,
        invoice_id,
        count(*) as line_count,
        sum(amount - case when amount < 0 then -abs(coalesce(discount_amount, 0)) else abs(coalesce(discount_amount, 0)) end) as amount
    from {{ ref('int_billing__invoice_lines') }}
    where is_current
    group by source_relation, invoice_id
),

currencies as (
    select * from {{ ref('currencies') }}
)

select
    invoices.source_relation,
    invoices.invoice_id,
    invoices.total,
    lines.amount as amount_of_lines
from invoices
left join lines
    on invoices.source_relation = lines.source_relation and invoices.invoice_id = lines.invoice_id
left join currencies
    on invoices.currency = currencies.currency
where abs(coalesce(lines.amount, 0) - invoices.total)
    > coalesce(lines.line_count, 0) * power(10, -coalesce(currencies.minor_unit_exponent, 2)) * 1.0001
