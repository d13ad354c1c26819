-- How bound each paying customer was on the day of a snapshot, as known on it: until when it had been billed (whoever is billed beyond the
-- horizon cannot leave within it), and whether it had asked to end. Periods as billed, not as they ended: an end is what is predicted.
with snapshots as (
    select customer_id, as_of_date from {{ ref('int_health__daily') }}
    where as_of_date <= {{ as_of_date() }} and mrr_reporting_amount > 0
        and (extract(day from as_of_date) = 1 or as_of_date = {{ as_of_date() }})
),

lines as (
    select nodes.customer_id, lines.*
    from {{ ref('int_revenue__line_intervals') }} as lines
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'billing' and lines.source_relation = nodes.source_relation and lines.source_customer_id = nodes.source_id
),

billed as (
    select snapshots.customer_id, snapshots.as_of_date, max(lines.period_end_on) as billed_until
    from snapshots
    inner join lines
        on
            snapshots.customer_id = lines.customer_id
            and snapshots.as_of_date >= lines.period_start_on
            and snapshots.as_of_date < lines.period_end_on
            and snapshots.as_of_date >= lines.known_from
            and (snapshots.as_of_date < lines.known_until or lines.known_until is null)
    group by snapshots.customer_id, snapshots.as_of_date
),

subscriptions as (
    select customer_id, source_relation, subscription_id
    from lines
    where subscription_id is not null
    group by customer_id, source_relation, subscription_id
),

notices as (
    select snapshots.customer_id, snapshots.as_of_date
    from snapshots
    inner join subscriptions on snapshots.customer_id = subscriptions.customer_id
    inner join {{ ref('int_revenue__subscription_ends') }} as ends
        on
            subscriptions.source_relation = ends.source_relation
            and subscriptions.subscription_id = ends.subscription_id
            and snapshots.as_of_date >= ends.known_from
            and (snapshots.as_of_date < ends.known_until or ends.known_until is null)
            and snapshots.as_of_date >= ends.requested_on
            and (snapshots.as_of_date < ends.ended_on or ends.ended_on is null)
    group by snapshots.customer_id, snapshots.as_of_date
),

final as (
    select
        snapshots.customer_id,
        snapshots.as_of_date,
        billed.billed_until,
        notices.customer_id is not null as is_cancellation_requested
    from snapshots
    left join billed on snapshots.customer_id = billed.customer_id and snapshots.as_of_date = billed.as_of_date
    left join notices on snapshots.customer_id = notices.customer_id and snapshots.as_of_date = notices.as_of_date
)

select * from final
