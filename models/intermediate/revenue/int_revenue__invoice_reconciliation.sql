-- Invoices whose lines do not add up to their total (to one minor unit a line), each with the cause where there is one that is in order.
-- Drafts still change, void and deleted ones count nowhere; an invoice without total cannot be held against anything.
with invoices as (
    select * from {{ ref('int_billing__invoices') }}
    where is_current and status not in ('draft', 'void', 'voided', 'deleted') and total is not null
),

lines as (
    select
        source_relation,
        invoice_id,
        count(*) as line_count,
        sum(amount) as gross,
        sum(case when amount < 0 then -1 else 1 end * abs(coalesce(discount_amount, 0))) as discounts,
        sum(case when kind = 'tax' then amount else 0 end) as tax
    from {{ ref('int_billing__invoice_lines') }}
    where is_current
    group by source_relation, invoice_id
),

currencies as (
    select * from {{ ref('currencies') }}
),

compared as (
    select
        invoices.source_relation,
        invoices.invoice_id,
        invoices.currency,
        invoices.total,
        lines.invoice_id is not null as has_lines,
        cast(coalesce(lines.gross - lines.discounts, 0) as decimal(18,4)) as amount_of_lines,
        cast(coalesce(lines.gross, 0) as decimal(18,4)) as gross,
        cast(coalesce(lines.tax, 0) as decimal(18,4)) as tax,
        greatest(coalesce(lines.line_count, 1), 1) * power(10, -coalesce(currencies.minor_unit_exponent, 2)) * 1.0001 as tolerance
    from invoices
    left join lines
        on invoices.source_relation = lines.source_relation
            and invoices.invoice_id = lines.invoice_id
    left join currencies
        on invoices.currency = currencies.currency
),

final as (
    select
        source_relation,
        invoice_id,
        currency,
        total,
        amount_of_lines,
        case
            when not has_lines then 'no_lines'
            when total = 0 and amount_of_lines < 0 then 'credit_kept'
            when tax <> 0 and abs(amount_of_lines - tax - total) <= tolerance then 'total_before_tax'
            when abs(gross - total) <= tolerance then 'total_before_discount'
            when tax = 0 and total > amount_of_lines and total <= 1.3 * amount_of_lines then 'tax_not_itemised'
            else 'unexplained'
        end as cause
    from compared
    where abs(amount_of_lines - total) > tolerance
)

select * from final
