-- Seats of each product of each subscription as seen on the day: the quantities of its invoice lines that were active and known, with
-- the sign of the amount. So the two halves of a proration replace one quantity by the other, just as they do with the price; an add-on,
-- sold to the same people, stands apart.
with active_lines as (
    select * from {{ ref('int_revenue__active_lines') }}
),

lines as (
    select * from {{ ref('int_billing__invoice_lines') }} where quantity is not null
),

plans as (
    select source_relation, plan_id, product_id from {{ ref('int_billing__plans') }} where is_current
),

held as (
    select
        active_lines.customer_id,
        active_lines.source_relation,
        coalesce(active_lines.subscription_id, '') as subscription_id,
        coalesce(plans.product_id, active_lines.plan_id, '') as product_id,
        greatest(active_lines.active_from, active_lines.known_from) as valid_from,
        least(active_lines.active_until, active_lines.known_until) as valid_to,
        case when lines.amount < 0 then -lines.quantity else lines.quantity end as seats
    from active_lines
    inner join lines
        on
            active_lines.source_relation = lines.source_relation
            and active_lines.line_id = lines.line_id
            and active_lines.known_from >= lines.known_from
            and (active_lines.known_from < lines.known_until or lines.known_until is null)
    left join plans on active_lines.source_relation = plans.source_relation and active_lines.plan_id = plans.plan_id
),

counted as (
    select * from held where valid_from < valid_to
),

summed as (
    {{ sum_intervals('counted', ['customer_id', 'source_relation', 'subscription_id', 'product_id'], ['seats']) }}
),

final as (
    select
        customer_id,
        source_relation,
        subscription_id,
        product_id,
        valid_from,
        valid_to,
        cast(seats as decimal(18,4)) as seats
    from summed
    where seats > 0
)

select * from final
