-- A credit note on a recurring line takes its share of the line's rate away, from the day of the note on. Several notes on one line
-- never take more than the line. Refunds and disputes move money, not recurring revenue: they are not here.
with credits as (
    select * from {{ ref('int_billing__credits') }}
    where is_current and kind = 'credit_note' and line_id is not null
        and {{ reporting_date('issued_at') }} <= {{ as_of_date() }}
),

lines as (
    select * from {{ ref('int_revenue__billed_lines') }}
    where monthly_rate > 0 and net_amount > 0
),

running as (
    select
        source_relation,
        credit_id,
        line_id,
        known_from,
        {{ reporting_date('issued_at') }} as issued_on,
        abs(cast(amount as decimal(28,10))) as amount,
        sum(abs(cast(amount as decimal(28,10)))) over (
            partition by source_relation, line_id order by issued_at, credit_id rows unbounded preceding
        ) as amount_so_far
    from credits
),

shares as (
    select
        lines.*,
        running.credit_id,
        greatest(lines.period_start_on, running.issued_on) as credited_from,
        greatest(lines.known_from, running.known_from) as credit_known_from,
        cast(
            least(running.amount_so_far, lines.net_amount) - least(running.amount_so_far - running.amount, lines.net_amount)
            as double
        ) / nullif(cast(lines.net_amount as double), 0) as share
    from lines
    inner join running
        on lines.source_relation = running.source_relation
            and lines.line_id = running.line_id
            and (lines.known_until is null or running.known_from < lines.known_until)
),

final as (
    select
        source_relation,
        credit_id,
        line_id,
        source_customer_id,
        customer_id,
        subscription_id,
        plan_id,
        currency,
        {% for rate in ['monthly_rate', 'monthly_rate_reporting', 'full_monthly_rate', 'full_monthly_rate_reporting'] -%}
        cast(-share * cast({{ rate }} as double) as decimal(28,10)) as {{ rate }},
        {% endfor -%}
        is_discount_lasting,
        credited_from as period_start_on,
        period_end_on,
        ended_on,
        requested_on,
        credit_known_from as known_from,
        known_until
    from shares
)

select * from final
where period_end_on > period_start_on
