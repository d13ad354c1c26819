-- At how many ends of a month each customer has stayed without a gap since it first paid, and whether it then left: what lifetimes are
-- fitted on. Months of the calendar, as contracts have them: by days every other one would count as over a day too late. A customer
-- that came back counts until it first left.
with revenue as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0
),

held as (
    select customer_id, valid_from, valid_to, mrr_reporting_amount as mrr from revenue
),

summed as (
    {{ sum_intervals('held', ['customer_id'], ['mrr']) }}
),

paid as (
    select * from summed where mrr > 0
),

followed as (
    select
        paid.*,
        row_number() over (partition by customer_id order by valid_from) as stretch,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_from,
        min(valid_from) over (partition by customer_id) as first_paid_on
    from paid
),

ends as (
    select
        customer_id,
        first_paid_on,
        min(case when valid_to is not null and (next_from is null or next_from > valid_to) then valid_to end) as left_on
    from followed
    group by customer_id, first_paid_on
),

-- Who left on the day on which a month ended did not stay at that end: it is the day before that counts.
seen as (
    select
        *,
        coalesce(cast({{ dbt.dateadd('day', -1, 'left_on') }} as date), {{ as_of_date() }}) as paid_through
    from ends
),

now as (
    select customer_id, sum(mrr) as mrr
    from summed
    where valid_to is null
    group by customer_id
),

segments as (
    select * from {{ ref('int_revenue__customer_segments') }}
    where segment_kind = 'tier'
),

final as (
    select
        seen.customer_id,
        coalesce(segments.segment, 'unknown') as tier,
        seen.first_paid_on,
        seen.left_on,
        cast(
            12 * (extract(year from seen.paid_through) - extract(year from seen.first_paid_on))
            + extract(month from seen.paid_through) - extract(month from seen.first_paid_on)
            - case
                when seen.paid_through = last_day(seen.paid_through) then 0
                when extract(day from seen.paid_through) < extract(day from seen.first_paid_on) then 1
                else 0
            end
        as int) as months_paid,
        cast(coalesce(now.mrr, 0) as decimal(18,4)) as mrr_reporting_amount,
        costs.acquisition_cost
    from seen
    left join now on seen.customer_id = now.customer_id
    left join segments on seen.customer_id = segments.customer_id
    left join {{ ref('int_revenue__acquisition_costs') }} as costs on seen.customer_id = costs.customer_id
)

select * from final
