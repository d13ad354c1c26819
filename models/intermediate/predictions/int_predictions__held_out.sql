-- The last quarter of the time that revenue was observed, kept from a first fit: what each customer that paid on its eve was worth
-- then, since when it had been paying, and what it really brought afterwards.
with intervals as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

span as (
    select min(valid_from) as first_on from intervals
),

cut as (
    select
        first_on + cast(floor({{ dbt.datediff('first_on', as_of_date(), 'day') }} * 0.75e0) as int) as held_out_from
    from span
),

worth as (
    select
        intervals.customer_id,
        cut.held_out_from,
        cast(sum(
            case when intervals.valid_from < cut.held_out_from and coalesce(intervals.valid_to, cut.held_out_from) >= cut.held_out_from
                then intervals.mrr_reporting_amount else 0 end
        ) as decimal(18,4)) as mrr_before,
        {{ to_money(
            "sum(cast(intervals.mrr_reporting_amount as double) * greatest(0, "
            ~ dbt.datediff('greatest(intervals.valid_from, cut.held_out_from)', "coalesce(intervals.valid_to, " ~ as_of_date() ~ " + 1)", 'day')
            ~ ")) / 30.4375e0"
        ) }} as revenue_after
    from intervals
    cross join cut
    group by intervals.customer_id, cut.held_out_from
),

final as (
    select
        worth.customer_id,
        worth.held_out_from,
        stretches.valid_from as paying_since,
        worth.mrr_before,
        worth.revenue_after
    from worth
    inner join {{ ref('int_lifecycle__paying') }} as stretches
        on worth.customer_id = stretches.customer_id
            and worth.held_out_from > stretches.valid_from
            and worth.held_out_from <= stretches.valid_to
    where worth.mrr_before > 0
)

select * from final
