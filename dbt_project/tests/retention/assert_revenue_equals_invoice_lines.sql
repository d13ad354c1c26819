-- From the billing system to the mart: what is booked of an invoice is the sum of its lines, less discounts, to the last decimal.
-- Counted on the lines themselves, by version known at as_of_date; an invoice that is not booked has nothing here.
with billed as (
    select
        lines.source_relation,
        lines.invoice_id,
        sum(lines.amount) - sum(case when lines.amount < 0 then -1 else 1 end * abs(coalesce(lines.discount_amount, 0))) as amount
    from {{ ref('int_billing__invoice_lines') }} as lines
    inner join {{ ref('int_billing__invoices') }} as invoices
        on lines.source_relation = invoices.source_relation and lines.invoice_id = invoices.invoice_id
    where lines.known_until is null and invoices.known_until is null
        and invoices.status in ('open', 'paid', 'uncollectible')
        and {{ reporting_date('invoices.issued_at') }} <= {{ as_of_date() }}
    group by lines.source_relation, lines.invoice_id
),

booked as (
    select source_relation, invoice_id, sum(amount) as amount
    from {{ ref('fct_revenue') }}
    where kind in ('recurring', 'usage', 'one_time', 'tax')
    group by source_relation, invoice_id
)

select
    coalesce(billed.source_relation, booked.source_relation) as source_relation,
    coalesce(billed.invoice_id, booked.invoice_id) as invoice_id,
    billed.amount as amount_of_lines,
    booked.amount as amount_booked
from billed
full outer join booked
    on billed.source_relation = booked.source_relation and billed.invoice_id = booked.invoice_id
where coalesce(billed.amount, 0) <> coalesce(booked.amount, 0)
