-- Each customer that ever paid, over all its currencies: when, how long and how much a year on average while it paid.
with intervals as (
    select
        customer_id,
        valid_from,
        valid_to,
        mrr_reporting_amount as mrr
    from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

summed as (
    {{ sum_intervals('intervals', ['customer_id'], ['mrr']) }}
),

measured as (
    select
        customer_id,
        valid_from,
        valid_to,
        mrr,
        {{ dbt.datediff('valid_from', 'coalesce(valid_to, ' ~ dbt.dateadd('day', 1, as_of_date()) ~ ')', 'day') }} as days
    from summed
    where mrr > 0
),

final as (
    select
        customer_id,
        min(valid_from) as first_paid_on,
        case when count(valid_to) = count(*) then max(valid_to) end as churned_on,
        cast(sum(case when valid_to is null then mrr else 0 end) as decimal(18,4)) as mrr_reporting_amount,
        cast(sum(days) as int) as paying_days,
        {{ to_money('12 * cast(sum(mrr * days) as double) / nullif(sum(days), 0)') }} as average_annual_revenue
    from measured
    group by customer_id
)

select * from final
