-- The orders of every customer: days with one-time charges. One day with orders is one order. Who was never billed for a subscription
-- lives by them; a line of 0 (a trial) and a line on an invoice that does not count are no subscription.
with bookings as (
    select
        nodes.customer_id,
        bookings.booked_on,
        bookings.kind
    from {{ ref('int_retention__bookings') }} as bookings
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'billing' and bookings.source_relation = nodes.source_relation and bookings.source_customer_id = nodes.source_id
    where bookings.record = 'invoice_line' and bookings.kind in ('one_time', 'recurring') and bookings.amount > 0
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

ordered as (
    select customer_id, booked_on as ordered_on
    from bookings
    where kind = 'one_time'
    group by customer_id, booked_on
),

subscribed as (
    select customer_id
    from bookings
    where kind = 'recurring'
    group by customer_id
),

final as (
    select
        ordered.customer_id,
        coalesce(tiers.tier, 'unknown') as tier,
        ordered.ordered_on,
        {{ dbt.datediff('lag(ordered_on) over (partition by ordered.customer_id order by ordered_on)', 'ordered_on', 'day') }} as gap_days,
        subscribed.customer_id is not null as has_subscribed
    from ordered
    left join tiers on ordered.customer_id = tiers.customer_id
    left join subscribed on ordered.customer_id = subscribed.customer_id
)

select * from final
