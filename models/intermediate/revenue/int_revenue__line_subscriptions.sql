-- The billing interval of lines that neither say it nor have a plan that does: their subscription's, as it was when the service period began.
-- A change may reach us after the period that it begins: where one version's interval is as long as the period, that is the one.
with lines as (
    select
        lines.source_relation,
        lines.line_id,
        lines.known_from,
        lines.subscription_id,
        coalesce(lines.is_proration, false) as is_proration,
        {{ reporting_date('lines.period_start') }} as starts_on,
        {{ dbt.datediff('lines.period_start', 'lines.period_end', 'second') }} / 86400.0e0 as line_days
    from {{ ref('int_revenue__line_periods') }} as lines
    left join {{ ref('int_billing__plans') }} as plans
        on lines.source_relation = plans.source_relation
            and lines.plan_id = plans.plan_id
            and plans.is_current
    where lines.interval is null and plans.interval is null and lines.subscription_id is not null
),

versions as (
    select
        source_relation,
        subscription_id,
        interval,
        coalesce(interval_count, 1) as interval_count,
        coalesce(interval_count, 1) * case interval
            when 'day' then 1 when 'week' then 7 when 'month' then 30.4375e0 when 'quarter' then 91.3125e0 when 'year' then 365.25e0
        end as interval_days,
        case
            when lag(known_from) over (partition by source_relation, subscription_id order by known_from) is null
                then cast('0001-01-01' as date)
            else known_from
        end as valid_from,
        coalesce(
            lead(known_from) over (partition by source_relation, subscription_id order by known_from), cast('9999-12-31' as date)
        ) as valid_to
    from {{ ref('int_billing__subscriptions') }}
    where interval is not null
),

ranked as (
    select
        lines.source_relation,
        lines.line_id,
        lines.known_from,
        versions.interval,
        versions.interval_count,
        row_number() over (
            partition by lines.source_relation, lines.line_id, lines.known_from
            order by
                case
                    when not lines.is_proration and abs(lines.line_days - versions.interval_days) <= 0.1e0 * versions.interval_days then 0
                    else 1
                end,
                case when lines.starts_on >= versions.valid_from and lines.starts_on < versions.valid_to then 0 else 1 end,
                versions.valid_from
        ) as place
    from lines
    inner join versions
        on lines.source_relation = versions.source_relation
            and lines.subscription_id = versions.subscription_id
),

final as (
    select
        source_relation,
        line_id,
        known_from,
        interval,
        interval_count
    from ranked
    where place = 1
)

select * from final
