-- Every invoice line and every credit that is booked, as known at as_of_date: net of discounts, on the day of its invoice or of its own.
-- An invoice that is a draft, was voided or deleted is not booked, and neither is what was credited on it.
with invoices as (
    select
        source_relation,
        invoice_id,
        is_current and status in ('open', 'paid', 'uncollectible') as is_booked,
        {{ reporting_date('issued_at') }} as issued_on
    from {{ ref('int_billing__invoices') }}
    qualify row_number() over (partition by source_relation, invoice_id order by known_from desc) = 1
),

periods as (
    select
        source_relation,
        line_id,
        {{ reporting_date('rated_at') }} as rated_on
    from {{ ref('int_revenue__line_periods') }}
    where known_until is null
),

invoice_lines as (
    select
        lines.*,
        cast(
            lines.amount - case when lines.amount < 0 then -1 else 1 end * abs(coalesce(lines.discount_amount, 0)) as decimal(18,4)
        ) as booked_amount,
        invoices.issued_on as booked_on,
        coalesce(periods.rated_on, {{ reporting_date('lines.period_start') }}, invoices.issued_on) as rate_on
    from {{ ref('int_billing__invoice_lines') }} as lines
    inner join invoices
        on lines.source_relation = invoices.source_relation
            and lines.invoice_id = invoices.invoice_id
    left join periods
        on lines.source_relation = periods.source_relation
            and lines.line_id = periods.line_id
    where lines.is_current and invoices.is_booked and invoices.issued_on <= {{ as_of_date() }}
),

totals as (
    select
        source_relation,
        invoice_id,
        cast(sum(case when kind = 'tax' then 0 else booked_amount end) as double) as without_tax,
        cast(sum(booked_amount) as double) as with_tax
    from invoice_lines
    group by source_relation, invoice_id
),

credits as (
    select *, {{ reporting_date('issued_at') }} as booked_on
    from {{ ref('int_revenue__credits_on_invoices') }}
    where {{ reporting_date('issued_at') }} <= {{ as_of_date() }}
),

final as (
    select
        source_relation,
        'invoice_line' as record,
        line_id as record_id,
        customer_id as source_customer_id,
        invoice_id,
        line_id,
        subscription_id,
        plan_id,
        kind,
        currency,
        booked_on,
        rate_on,
        {{ reporting_date('period_start') }} as period_start_on,
        {{ reporting_date('period_end') }} as period_end_on,
        booked_amount as amount,
        cast(case when kind = 'tax' then 0 else booked_amount end as decimal(18,4)) as net_amount
    from invoice_lines
    union all
    select
        credits.source_relation,
        'credit' as record,
        credits.credit_id as record_id,
        credits.customer_id as source_customer_id,
        credits.invoice_id,
        credits.line_id,
        invoice_lines.subscription_id,
        invoice_lines.plan_id,
        credits.kind,
        credits.currency,
        credits.booked_on,
        -- A credit note takes back what the line was worth (as in the MRR ledger); money that flows back is worth the day's rate.
        case when credits.kind = 'credit_note' then coalesce(invoice_lines.rate_on, credits.booked_on) else credits.booked_on end as rate_on,
        cast(null as date) as period_start_on,
        cast(null as date) as period_end_on,
        cast(-abs(credits.amount) as decimal(18,4)) as amount,
        -- Notes are without tax, and so is what is about one line; money that flows back holds the tax in the share that its invoice had of it.
        case
            when invoice_lines.kind = 'tax' then cast(0 as decimal(18,4))
            when credits.kind <> 'credit_note' and credits.line_id is null and totals.without_tax >= 0 and totals.with_tax > totals.without_tax
                then {{ to_money('-abs(cast(credits.amount as double)) * totals.without_tax / totals.with_tax') }}
            else cast(-abs(credits.amount) as decimal(18,4))
        end as net_amount
    from credits
    left join invoices
        on credits.source_relation = invoices.source_relation
            and credits.invoice_id = invoices.invoice_id
    left join invoice_lines
        on credits.source_relation = invoice_lines.source_relation
            and credits.line_id = invoice_lines.line_id
    left join totals
        on credits.source_relation = totals.source_relation
            and credits.invoice_id = totals.invoice_id
    where coalesce(invoices.is_booked, true)
)

select * from final
