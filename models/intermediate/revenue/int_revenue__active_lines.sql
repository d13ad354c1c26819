-- The stretch of days on which each recurring line counts, for each stretch of days on which it was known so: a line of a counted
-- invoice, from the start of its service period to its end, cut where its subscription ends. "The ledger now" is the rows known at
-- as_of_date; "as it was seen on the day" is the intersection of both stretches (int_revenue__mrr_as_seen).
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

counted as (
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
        lines.period_start_on as active_from,
        least(lines.period_end_on, subscription_ends.ends_on) as active_until,
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
    select * from counted
    where
        active_until > active_from
        and (known_until is null or known_until > known_from)
)

select * from final
