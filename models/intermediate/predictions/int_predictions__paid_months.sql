-- Since when each customer has paid and when it first left: what lifetimes are fitted on (predict/lifetimes.py counts the months). A customer
-- that came back counts until it first left; what it is worth now is asked of the stretch that it is in (paying_since).
with stretches as (
    select * from {{ ref('int_lifecycle__paying') }}
),

customers as (
    select
        customer_id,
        min(valid_from) as first_paid_on,
        nullif(min(valid_to), cast('9999-12-31' as date)) as left_on,
        max(case when valid_to = cast('9999-12-31' as date) then valid_from end) as paying_since
    from stretches
    group by customer_id
),

now as (
    select customer_id, sum(mrr_reporting_amount) as mrr
    from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0 and valid_to is null
    group by customer_id
),

segments as (
    select * from {{ ref('int_revenue__customer_segments') }}
    where segment_kind = 'tier'
),

final as (
    select
        customers.customer_id,
        coalesce(segments.segment, 'unknown') as tier,
        customers.first_paid_on,
        customers.left_on,
        customers.paying_since,
        cast(coalesce(now.mrr, 0) as decimal(18,4)) as mrr_reporting_amount,
        costs.acquisition_cost
    from customers
    left join now on customers.customer_id = now.customer_id
    left join segments on customers.customer_id = segments.customer_id
    left join {{ ref('int_revenue__acquisition_costs') }} as costs on customers.customer_id = costs.customer_id
)

select * from final
