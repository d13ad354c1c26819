-- All cohorts together are all customers: at the end of each complete month their retained customers and MRR are the closing of that month.
with cohorts as (
    select
        cast({{ dbt.dateadd('month', 'months_since', 'cohort_month') }} as date) as month,
        sum(retained_customers) as customers,
        sum(retained_mrr) as mrr
    from {{ ref('rpt_cohort_retention') }}
    where retained_customers is not null
    group by cast({{ dbt.dateadd('month', 'months_since', 'cohort_month') }} as date)
),

months as (
    select month, closing_customers, closing_mrr
    from {{ ref('rpt_revenue_retention_monthly') }}
    where segment_kind = 'all' and is_complete
)

select coalesce(cohorts.month, months.month) as month, cohorts.customers, months.closing_customers, cohorts.mrr, months.closing_mrr
from cohorts
full outer join months
    on cohorts.month = months.month
where coalesce(cohorts.customers, 0) is distinct from months.closing_customers or coalesce(cohorts.mrr, 0) is distinct from months.closing_mrr
