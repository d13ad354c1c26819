-- Recurring lines (every version) with the service period that they stand for. A credit for unused time takes back the line that was
-- running when it began, at that line's exchange rate: at one of its own, what is left of the two would be neither. Some sources write
-- such a credit as a moment, without a period: it has that line's.
with lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
    where kind = 'recurring'
),

taking_back as (
    select
        source_relation,
        line_id,
        known_from,
        subscription_id,
        plan_id,
        period_start
    from lines
    where is_proration and subscription_id is not null and (amount < 0 or period_start = period_end)
),

running as (
    select
        taking_back.source_relation,
        taking_back.line_id,
        taking_back.known_from,
        lines.period_start,
        lines.period_end,
        row_number() over (
            partition by taking_back.source_relation, taking_back.line_id, taking_back.known_from
            order by
                case when lines.plan_id = taking_back.plan_id then 0 else 1 end,
                -- known at the time, where there is one; not what took its place at the same moment
                case when lines.known_from <= taking_back.known_from
                    and (lines.known_until is null or lines.known_until > taking_back.known_from) then 0 else 1 end,
                case when lines.period_start < taking_back.period_start then 0 else 1 end,
                lines.period_start desc, lines.period_end desc, lines.line_id, lines.known_from
        ) as place
    from taking_back
    inner join lines
        on taking_back.source_relation = lines.source_relation
            and taking_back.subscription_id = lines.subscription_id
            and lines.amount > 0
            and taking_back.period_start >= lines.period_start
            and taking_back.period_start < lines.period_end
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
        case when lines.period_start = lines.period_end and running.place is not null then running.period_start else lines.period_start end
        as period_start,
        case when lines.period_start = lines.period_end and running.place is not null then running.period_end else lines.period_end end as period_end,
        coalesce(running.period_start, lines.period_start) as rated_at,
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
