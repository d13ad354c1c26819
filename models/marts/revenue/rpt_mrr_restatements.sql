with restatements as (
    select * from {{ ref('int_retention__restatements') }}
),

first_known as (
    select month, sum(mrr_reporting_amount) as mrr
    from {{ ref('int_retention__first_known_mrr') }}
    group by month
),

months as (
    select month, closing_mrr
    from {{ ref('rpt_revenue_retention_monthly') }}
    where segment_kind = 'all'
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

final as (
    select
        restatements.month,
        restatements.cause,
        cast(sum(restatements.amount) as decimal(18,4)) as amount,
        cast(count(distinct restatements.customer_id) as int) as customers,
        cast(coalesce(first_known.mrr, 0) as decimal(18,4)) as first_known_mrr,
        months.closing_mrr,
        rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from restatements
    cross join rules
    left join first_known
        on restatements.month = first_known.month
    left join months
        on restatements.month = months.month
    group by restatements.month, restatements.cause, first_known.mrr, months.closing_mrr, rules.definition_version
)

select * from final
