-- Customers that buy without a contract: their days with an order, as BG/NBD counts them, and what they spend on a day that is not
-- the first. Whoever ever had MRR is valued by its contract instead.
with bookings as (
    select * from {{ ref('int_retention__bookings') }}
    where kind = 'one_time' and amount > 0
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
),

contracts as (
    select customer_id from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
    group by customer_id
),

order_days as (
    select
        nodes.customer_id,
        bookings.booked_on,
        {{ to_money('sum(cast(bookings.amount as double) * cast(rates.exchange_rate as double))') }} as amount
    from bookings
    inner join nodes
        on bookings.source_relation = nodes.source_relation and bookings.source_customer_id = nodes.source_id
    inner join rates
        on bookings.currency = rates.currency and bookings.rate_on >= rates.valid_from and bookings.rate_on < rates.valid_to
    left join contracts on nodes.customer_id = contracts.customer_id
    where contracts.customer_id is null
    group by nodes.customer_id, bookings.booked_on
),

numbered as (
    select
        order_days.*,
        row_number() over (partition by customer_id order by booked_on) as order_number
    from order_days
),

final as (
    select
        customer_id,
        cast(count(*) - 1 as int) as repeat_orders,
        {{ dbt.datediff('min(booked_on)', 'max(booked_on)', 'day') }} as recency_days,
        {{ dbt.datediff('min(booked_on)', as_of_date(), 'day') }} as age_days,
        {{ to_money('avg(case when order_number > 1 then cast(amount as double) end)') }} as mean_order_amount
    from numbered
    group by customer_id
)

select * from final
