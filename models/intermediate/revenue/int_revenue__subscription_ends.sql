-- When each subscription ends and when that was asked for, as far as was known on each day: versions that say the same are one row, and
-- the rows of one subscription cover all time, so that a join by day always finds exactly one.
with subscriptions as (
    select * from {{ ref('int_billing__subscriptions') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

dated as (
    select
        source_relation,
        subscription_id,
        known_from,
        {{ reporting_date(
            "coalesce(ended_at, case when status in ('canceled', 'cancelled', 'ended', 'expired') then canceled_at end)"
        ) }} as ended_on,
        {{ reporting_date('coalesce(cancel_requested_at, canceled_at, ended_at)') }} as requested_on
    from subscriptions
),

numbered as (
    select
        dated.*,
        row_number() over (partition by source_relation, subscription_id order by known_from) as version_number,
        lag(ended_on) over (partition by source_relation, subscription_id order by known_from) as previous_ended_on,
        lag(requested_on) over (partition by source_relation, subscription_id order by known_from) as previous_requested_on
    from dated
),

changed as (
    select
        source_relation,
        subscription_id,
        ended_on,
        requested_on,
        version_number = 1 as is_first,
        known_from
    from numbered
    where
        version_number = 1
        or previous_ended_on is distinct from ended_on
        or previous_requested_on is distinct from requested_on
),

final as (
    select
        source_relation,
        subscription_id,
        ended_on,
        requested_on,
        case when rules.churn_timing = 'request' then least(ended_on, requested_on) else ended_on end as ends_on,
        case when is_first then cast('0001-01-01' as date) else known_from end as known_from,
        lead(known_from) over (partition by source_relation, subscription_id order by known_from) as known_until
    from changed
    cross join rules
)

select * from final
