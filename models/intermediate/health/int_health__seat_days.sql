-- The largest product of a subscription counts: an add-on is sold for seats that are there already.
with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

seats as (
    select * from {{ ref('int_health__seats_as_seen') }}
),

final as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        max(seats.seats) as seats
    from customer_days
    inner join seats
        on
            customer_days.customer_id = seats.customer_id
            and customer_days.as_of_date >= seats.valid_from
            and (customer_days.as_of_date < seats.valid_to or seats.valid_to is null)
    group by customer_days.customer_id, customer_days.as_of_date
)

select * from final
