with months as (
    select * from {{ ref('int_revenue__months') }}
),

cohorts as (
    select * from {{ ref('int_retention__cohorts') }}
),

states as (
    select
        customer_id,
        month,
        sum(closing_mrr) as closing_mrr
    from {{ ref('int_revenue__month_states') }}
    group by customer_id, month
),

bases as (
    select
        cohort_month,
        count(*) as customers,
        sum(first_mrr_amount) as mrr
    from cohorts
    group by cohort_month
),

retained as (
    select
        cohorts.cohort_month,
        states.month,
        count(*) as customers,
        sum(states.closing_mrr) as mrr
    from cohorts
    inner join states
        on cohorts.customer_id = states.customer_id
    where states.closing_mrr > 0
    group by cohorts.cohort_month, states.month
),

steps as (
    select row_number() over (order by month) - 1 as months_since
    from months
),

cells as (
    select
        bases.*,
        steps.months_since,
        cast({{ dbt.dateadd('month', 'steps.months_since', 'bases.cohort_month') }} as date) as cell_month
    from bases
    cross join steps
),

-- A month that is not over has not been observed: unknown, not zero.
observed as (
    select
        cells.*,
        case when months.is_complete then coalesce(retained.customers, 0) end as retained_customers,
        case when months.is_complete then coalesce(retained.mrr, 0) end as retained_mrr
    from cells
    left join months
        on cells.cell_month = months.month
    left join retained
        on cells.cohort_month = retained.cohort_month
            and cells.cell_month = retained.month
),

final as (
    select
        cohort_month,
        cast(months_since as int) as months_since,
        cast(customers as int) as customers,
        cast(retained_customers as int) as retained_customers,
        cast(mrr as decimal(18,4)) as mrr,
        cast(retained_mrr as decimal(18,4)) as retained_mrr,
        cast(retained_customers as double) / nullif(customers, 0) as customer_retention_rate,
        cast(retained_mrr as double) / nullif(cast(mrr as double), 0) as mrr_retention_rate,
        '{{ var("run_id") }}' as run_id
    from observed
)

select * from final
