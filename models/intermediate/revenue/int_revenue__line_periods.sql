-- Recurring lines (every version) with the service period that they stand for. Some sources write a credit for unused time as a moment,
-- without a period: it takes back the line that was running at that moment, and so has that line's period.
with lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
    where kind = 'recurring'
),

moments as (
    select
        source_relation,
        line_id,
        known_from,
        subscription_id,
        plan_id,
        period_start
    from lines
    where is_proration and period_start = period_end and subscription_id is not null
),

running as (
    select
        moments.source_relation,
        moments.line_id,
        moments.known_from,
        lines.period_start,
        lines.period_end,
        row_number() over (
            partition by moments.source_relation, moments.line_id, moments.known_from
            order by
                case when lines.plan_id = moments.plan_id then 0 else 1 end,
                lines.period_end desc nulls last, lines.line_id, lines.known_from
        ) as place
    from moments
    inner join lines
        on moments.source_relation = lines.source_relation
            and moments.subscription_id = lines.subscription_id
            and lines.amount > 0
            and moments.period_start >= lines.period_start
            and moments.period_start < lines.period_end
),

final as (
    select
        lines.source_relation,
        lines.line_id,
        lines.known_from,
        lines.known_until,
        lines.invoice_id,
        lines.customer_id,
        lines.subscription_id,
        lines.plan_id,
        lines.currency,
        lines.quantity,
        lines.unit_amount,
        lines.amount,
        lines.discount_amount,
        coalesce(running.period_start, lines.period_start) as period_start,
        coalesce(running.period_end, lines.period_end) as period_end,
        lines.interval,
        lines.interval_count,
        coalesce(lines.is_proration, false) as is_proration
    from lines
    left join running
        on lines.source_relation = running.source_relation
            and lines.line_id = running.line_id
            and lines.known_from = running.known_from
            and running.place = 1
)

select * from final
