-- The cohort of each customer: the month in which it first had MRR, in whatever currency, and what it paid on that first day.
with intervals as (
    select
        customer_id,
        valid_from,
        mrr_reporting_amount,
        min(valid_from) over (partition by customer_id) as first_paid_on
    from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

final as (
    select
        customer_id,
        first_paid_on,
        cast(date_trunc('month', first_paid_on) as date) as cohort_month,
        cast(sum(mrr_reporting_amount) as decimal(18,4)) as first_mrr_amount
    from intervals
    where valid_from = first_paid_on
    group by customer_id, first_paid_on
)

select * from final
