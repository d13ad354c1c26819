with bookings as (
    select * from {{ ref('int_retention__bookings') }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
),

-- Without a rate or a customer there is no row: assert_all_bookings_are_revenue holds the publication back and names it.
final as (
    select
        cast({{ dbt.hash("concat(bookings.source_relation, '|', bookings.record, '|', bookings.record_id)") }} as string) as revenue_id,
        nodes.customer_id,
        bookings.source_relation,
        bookings.booked_on,
        bookings.kind,
        bookings.amount,
        {{ to_money('cast(bookings.amount as double) * cast(rates.exchange_rate as double)') }} as reporting_amount,
        {{ to_money('cast(bookings.net_amount as double) * cast(rates.exchange_rate as double)') }} as net_reporting_amount,
        bookings.currency,
        bookings.invoice_id,
        bookings.line_id,
        bookings.subscription_id,
        bookings.plan_id,
        bookings.period_start_on,
        bookings.period_end_on,
        bookings.rate_on,
        '{{ var("run_id") }}' as run_id
    from bookings
    inner join nodes
        on bookings.source_relation = nodes.source_relation
            and bookings.source_customer_id = nodes.source_id
    inner join rates
        on bookings.currency = rates.currency
            and bookings.rate_on >= rates.valid_from
            and bookings.rate_on < rates.valid_to
)

select * from final
