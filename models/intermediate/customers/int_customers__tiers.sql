-- Today's tier of each customer by annual recurring revenue and head count. Who has left keeps the tier of what it last paid.
with customers as (
    select * from {{ ref('int_identities__customers') }}
),

intervals as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

paid as (
    select
        customer_id,
        coalesce(valid_to, cast('9999-12-31' as date)) as paid_until,
        sum(mrr_reporting_amount) as mrr_reporting_amount
    from intervals
    group by customer_id, coalesce(valid_to, cast('9999-12-31' as date))
),

last_paid as (
    select * from paid
    qualify row_number() over (partition by customer_id order by paid_until desc) = 1
),

measured as (
    select
        customers.customer_id,
        12 * coalesce(last_paid.mrr_reporting_amount, 0) as arr_reporting_amount,
        customers.employees
    from customers
    left join last_paid on customers.customer_id = last_paid.customer_id
),

final as (
    select
        measured.customer_id,
        tiers.tier,
        tiers.touch_model,
        cast(measured.arr_reporting_amount as decimal(18,4)) as arr_reporting_amount,
        measured.employees
    from measured
    inner join {{ ref('tiers') }} as tiers
        -- to the cent: a year of a price is 12 × a month that was rounded
        on round(measured.arr_reporting_amount, 2) >= tiers.min_arr
        or measured.employees >= tiers.min_employees
    qualify row_number() over (partition by measured.customer_id order by tiers.rank) = 1
)

select * from final
