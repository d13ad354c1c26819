-- A credit note on a recurring line takes its share of the line's rate away, from the day of the note on. Several notes on one line
-- never take more than the line. What was known of them on each day: a note that was deleted or amended took its share until then.
-- Refunds and disputes move money, not recurring revenue: they are not here.
with credits as (
    select * from {{ ref('int_billing__credits') }}
    where kind = 'credit_note' and line_id is not null
        and {{ reporting_date('issued_at') }} <= {{ as_of_date() }}
),

boundaries as (
    select source_relation, line_id, known_from as learned_on from credits
    union
    select source_relation, line_id, known_until as learned_on from credits where known_until is not null
),

stretches as (
    select
        source_relation,
        line_id,
        learned_on as known_from,
        lead(learned_on) over (partition by source_relation, line_id order by learned_on) as known_until
    from boundaries
),

lines as (
    select * from {{ ref('int_revenue__billed_lines') }}
    where monthly_rate > 0 and net_amount > 0
),

running as (
    select
        credits.source_relation,
        credits.credit_id,
        credits.line_id,
        stretches.known_from,
        stretches.known_until,
        {{ reporting_date('credits.issued_at') }} as issued_on,
        abs(cast(credits.amount as decimal(28,10))) as amount,
        sum(abs(cast(credits.amount as decimal(28,10)))) over (
            partition by credits.source_relation, credits.line_id, stretches.known_from
            order by credits.issued_at, credits.credit_id rows unbounded preceding
        ) as amount_so_far
    from credits
    inner join stretches
        on credits.source_relation = stretches.source_relation
            and credits.line_id = stretches.line_id
            and credits.known_from <= stretches.known_from
            and (credits.known_until is null or credits.known_until > stretches.known_from)
),

shares as (
    select
        lines.*,
        running.credit_id,
        greatest(lines.period_start_on, running.issued_on) as credited_from,
        greatest(lines.known_from, running.known_from) as credit_known_from,
        least(lines.known_until, running.known_until) as credit_known_until,
        cast(
            least(running.amount_so_far, lines.net_amount) - least(running.amount_so_far - running.amount, lines.net_amount)
            as double
        ) / nullif(cast(lines.net_amount as double), 0) as share
    from lines
    inner join running
        on lines.source_relation = running.source_relation
            and lines.line_id = running.line_id
            and (lines.known_until is null or running.known_from < lines.known_until)
            and (running.known_until is null or lines.known_from < running.known_until)
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
        credit_known_until as known_until
    from shares
)

select * from final
where period_end_on > period_start_on
