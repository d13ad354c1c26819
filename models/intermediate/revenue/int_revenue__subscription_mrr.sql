-- Recurring revenue of each subscription, as known at as_of_date: intervals on which it is the same. Nothing later than as_of_date:
-- what starts later has not happened, what ends later is open.
-- A gap up to grace_days before the next period of the same subscription is bridged (a source that ends a period on the 31st and
-- starts the next on the 1st, an invoice that comes a day late), and so is one that is still open while the subscription runs.
with lines as (
    select
        source_relation, customer_id, subscription_id, currency, monthly_rate, monthly_rate_reporting,
        active_from, active_until, known_from, known_until
    from {{ ref('int_revenue__active_lines') }}
    union all
    select
        source_relation, customer_id, subscription_id, currency, monthly_rate, monthly_rate_reporting,
        active_from, active_until, known_from, known_until
    from {{ ref('int_revenue__credit_effects') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

ended as (
    select * from {{ ref('int_revenue__subscription_ends') }}
    where known_until is null and ends_on <= {{ as_of_date() }}
),

current_lines as (
    select
        source_relation,
        customer_id,
        coalesce(subscription_id, 'none') as subscription_key,
        currency,
        active_from as valid_from,
        case when active_until <= {{ as_of_date() }} then active_until end as valid_to,
        monthly_rate,
        monthly_rate_reporting
    from lines
    where known_from <= {{ as_of_date() }} and (known_until is null or known_until > {{ as_of_date() }})
        and active_from <= {{ as_of_date() }}
),

summed as (
    {{ sum_intervals(
        'current_lines', ['source_relation', 'customer_id', 'subscription_key', 'currency'],
        ['monthly_rate', 'monthly_rate_reporting']
    ) }}
),

neighboured as (
    select
        summed.*,
        abs(monthly_rate) < 0.005 as is_zero,
        lag(monthly_rate) over by_day as previous_rate,
        lag(monthly_rate_reporting) over by_day as previous_rate_reporting
    from summed
    window by_day as (partition by source_relation, customer_id, subscription_key, currency order by valid_from)
),

bridged as (
    select
        neighboured.*,
        ended.ends_on,
        is_zero and {{ dbt.datediff('neighboured.valid_from', 'coalesce(neighboured.valid_to, ' ~ as_of_date() ~ ')', 'day') }}
            + case when neighboured.valid_to is null then 1 else 0 end <= rules.grace_days
            and (neighboured.valid_to is not null or ended.ends_on is null) as is_bridged
    from neighboured
    cross join rules
    left join ended
        on neighboured.source_relation = ended.source_relation
            and neighboured.subscription_key = ended.subscription_id
),

final as (
    select
        source_relation,
        customer_id,
        subscription_key,
        currency,
        valid_from,
        valid_to,
        case when is_bridged then coalesce(previous_rate, 0) when is_zero then 0 else monthly_rate end as monthly_rate,
        case
            when is_bridged then coalesce(previous_rate_reporting, 0)
            when is_zero then 0
            else monthly_rate_reporting
        end as monthly_rate_reporting,
        coalesce(is_bridged, false) as is_bridged
    from bridged
)

select * from final
where monthly_rate <> 0
