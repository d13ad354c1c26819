-- Recurring lines of invoices that count, with everything that a rule may choose between: the rate before and after discounts, the end
-- of the period, of the subscription and the day that end was asked for. One row for each stretch of days on which this was known.
with lines as (
    select * from {{ ref('int_revenue__recurring_lines') }}
    where exception_reason is null
),

invoices as (
    select * from {{ ref('int_revenue__counted_invoices') }}
),

subscription_ends as (
    select * from {{ ref('int_revenue__subscription_ends') }}
),

known as (
    select
        lines.source_relation,
        lines.line_id,
        lines.source_customer_id,
        lines.customer_id,
        lines.subscription_id,
        lines.plan_id,
        lines.currency,
        lines.net_amount,
        lines.monthly_rate,
        lines.monthly_rate_reporting,
        lines.full_monthly_rate,
        lines.full_monthly_rate_reporting,
        lines.is_discount_lasting,
        lines.period_start_on,
        lines.period_end_on,
        subscription_ends.ended_on,
        subscription_ends.requested_on,
        greatest(lines.known_from, invoices.known_from, subscription_ends.known_from) as known_from,
        least(lines.known_until, invoices.known_until, subscription_ends.known_until) as known_until
    from lines
    inner join invoices
        on lines.source_relation = invoices.source_relation
            and lines.invoice_id = invoices.invoice_id
            and (lines.known_until is null or invoices.known_from < lines.known_until)
            and (invoices.known_until is null or lines.known_from < invoices.known_until)
    left join subscription_ends
        on lines.source_relation = subscription_ends.source_relation
            and lines.subscription_id = subscription_ends.subscription_id
            and (lines.known_until is null or subscription_ends.known_from < lines.known_until)
            and (subscription_ends.known_until is null or lines.known_from < subscription_ends.known_until)
),

final as (
    select * from known
    where
        period_end_on > period_start_on
        and (known_until is null or known_until > known_from)
)

select * from final
