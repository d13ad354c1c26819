-- Credits as they are known today, with the invoice that they are on. A note may name its line alone: then it is on that line's invoice;
-- a line that is gone still says whose it was.
with line_invoices as (
    select
        source_relation,
        line_id,
        invoice_id
    from {{ ref('int_billing__invoice_lines') }}
    qualify row_number() over (partition by source_relation, line_id order by known_from desc) = 1
),

final as (
    select
        credits.source_relation,
        credits.credit_id,
        credits.customer_id,
        coalesce(credits.invoice_id, line_invoices.invoice_id) as invoice_id,
        credits.line_id,
        credits.kind,
        credits.currency,
        credits.amount,
        credits.issued_at
    from {{ ref('int_billing__credits') }} as credits
    left join line_invoices
        on credits.source_relation = line_invoices.source_relation
            and credits.line_id = line_invoices.line_id
    where credits.is_current
)

select * from final
