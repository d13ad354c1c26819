-- Each time a customer had MRR and then none in any currency, up to as_of_date: what it paid until then, and whether it came back.
with stretches as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as reactivated_on
    from {{ ref('int_lifecycle__paying') }}
),

intervals as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

ended as (
    select * from stretches
    where valid_to <= {{ as_of_date() }}
),

lost as (
    select
        ended.customer_id,
        ended.stretch_number,
        intervals.currency,
        intervals.mrr_amount,
        sum(intervals.mrr_reporting_amount) over (partition by ended.customer_id, ended.stretch_number) as mrr_reporting_amount,
        row_number() over (
            partition by ended.customer_id, ended.stretch_number order by intervals.mrr_reporting_amount desc, intervals.currency
        ) as place
    from ended
    inner join intervals
        on ended.customer_id = intervals.customer_id
            and ended.valid_to > intervals.valid_from
            and ended.valid_to <= coalesce(intervals.valid_to, cast('9999-12-31' as date))
),

final as (
    select
        ended.customer_id,
        ended.valid_to as churned_on,
        ended.stretch_number as churn_number,
        ended.valid_from as paying_since,
        ended.reactivated_on,
        {{ dbt.datediff('ended.valid_from', 'ended.valid_to', 'day') }} as tenure_days,
        lost.currency,
        lost.mrr_amount as mrr_lost_amount,
        cast(lost.mrr_reporting_amount as decimal(18,4)) as mrr_lost_reporting_amount
    from ended
    inner join lost
        on ended.customer_id = lost.customer_id
            and ended.stretch_number = lost.stretch_number
            and lost.place = 1
)

select * from final
