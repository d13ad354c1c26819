-- The orders of customers that only order: days with one-time charges, never a recurring line. One day with orders is one order.
with bookings as (
    select * from {{ ref('int_retention__bookings') }}
    where record = 'invoice_line'
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

ordered as (
    select
        nodes.customer_id,
        coalesce(tiers.tier, 'unknown') as tier,
        bookings.booked_on as ordered_on
    from bookings
    inner join nodes
        on bookings.source_relation = nodes.source_relation
            and bookings.source_customer_id = nodes.source_id
    left join tiers
        on nodes.customer_id = tiers.customer_id
    group by nodes.customer_id, tiers.tier, bookings.booked_on
    having max(case when bookings.kind = 'one_time' and bookings.amount > 0 then 1 else 0 end) = 1
),

subscribed as (
    select nodes.customer_id
    from {{ ref('int_billing__invoice_lines') }} as lines
    inner join nodes
        on lines.source_relation = nodes.source_relation
            and lines.customer_id = nodes.source_id
    where lines.kind = 'recurring'
    group by nodes.customer_id
),

final as (
    select
        ordered.*,
        {{ dbt.datediff('lag(ordered_on) over (partition by ordered.customer_id order by ordered_on)', 'ordered_on', 'day') }} as gap_days
    from ordered
    left join subscribed
        on ordered.customer_id = subscribed.customer_id
    where subscribed.customer_id is null
)

select * from final
