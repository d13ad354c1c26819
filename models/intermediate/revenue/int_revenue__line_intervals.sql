{% set interval_start = dbt.dateadd('month', '-whole_months', 'period_end_on') %}
-- What one line's billing interval is, in months and in days: the denominators of its monthly rate.
with lines as (
    select * from {{ ref('int_revenue__line_periods') }}
),

plans as (
    select * from {{ ref('int_billing__plans') }}
    where is_current
),

subscriptions as (
    select * from {{ ref('int_revenue__line_subscriptions') }}
),

-- Not every source repeats the interval on the line. A plan's interval does not change; a subscription's may.
named as (
    select
        lines.*,
        {{ reporting_date('lines.period_start') }} as period_start_on,
        {{ reporting_date('lines.period_end') }} as period_end_on,
        {{ reporting_date('lines.rated_at') }} as rated_on,
        {{ dbt.datediff('lines.period_start', 'lines.period_end', 'second') }} / 86400.0e0 as line_days,
        coalesce(lines.interval, plans.interval, subscriptions.interval) as interval_unit,
        coalesce(
            case
                when lines.interval is not null then lines.interval_count
                when plans.interval is not null then plans.interval_count
                else subscriptions.interval_count
            end, 1
        ) as interval_units
    from lines
    left join plans
        on lines.source_relation = plans.source_relation
            and lines.plan_id = plans.plan_id
    left join subscriptions
        on lines.source_relation = subscriptions.source_relation
            and lines.line_id = subscriptions.line_id
            and lines.known_from = subscriptions.known_from
),

-- Whole months, or else days. Without any interval a service period of a month's, quarter's, half-year's or year's length says it.
measured as (
    select
        named.*,
        case
            when interval_unit = 'month' then interval_units
            when interval_unit = 'quarter' then 3 * interval_units
            when interval_unit = 'year' then 12 * interval_units
            when interval_unit is null and line_days between 27.9 and 31.1 then 1
            when interval_unit is null and line_days between 88.9 and 92.1 then 3
            when interval_unit is null and line_days between 180.9 and 184.1 then 6
            when interval_unit is null and line_days between 364.9 and 366.1 then 12
        end as whole_months,
        case
            when interval_unit = 'week' then cast(7 * interval_units as double)
            when interval_unit = 'day' then cast(interval_units as double)
            when interval_unit is null then line_days
        end as whole_days
    from named
),

-- The interval that encloses the line ends with it. Where that is a month's last day the start may lie anywhere from the same day
-- of the earlier month to that month's last (an anchor on the 31st meets 28 February), hence two lengths.
enclosed as (
    select
        measured.*,
        case
            when whole_months is null then whole_days
            else {{ dbt.datediff(interval_start, 'period_end_on', 'day') }}
        end as longest_days,
        case
            when whole_months is null then whole_days
            when period_end_on = last_day(period_end_on)
                then {{ dbt.datediff('last_day(' ~ interval_start ~ ')', 'period_end_on', 'day') }}
            else {{ dbt.datediff(interval_start, 'period_end_on', 'day') }}
        end as shortest_days
    from measured
),

final as (
    select
        source_relation,
        line_id,
        known_from,
        known_until,
        invoice_id,
        customer_id as source_customer_id,
        subscription_id,
        plan_id,
        currency,
        cast(quantity as double) as quantity,
        cast(unit_amount as double) as unit_amount,
        cast(amount as double) as amount,
        abs(cast(coalesce(discount_amount, 0) as double)) as discount_amount,
        period_start_on,
        period_end_on,
        rated_on,
        is_proration,
        line_days,
        cast(longest_days as double) as longest_days,
        cast(shortest_days as double) as shortest_days,
        case
            when interval_unit = 'week' then interval_units * 12 / 52.0e0
            when whole_months is null then whole_days * 12 / 365.0e0
            else cast(whole_months as double)
        end as months_in_interval
    from enclosed
)

select * from final
