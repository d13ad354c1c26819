-- At how many ends of a month each customer has stayed without a gap since it first paid, and whether it then left: what lifetimes are
-- fitted on. Months of the calendar, as contracts have them: by days every other one would count as over a day too late. A customer
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

-- Who left on the day on which a month ended did not stay at that end: it is the day before that counts.
seen as (
    select
        *,
        coalesce(cast({{ dbt.dateadd('day', -1, 'left_on') }} as date), {{ as_of_date() }}) as paid_through
    from customers
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
        seen.customer_id,
        coalesce(segments.segment, 'unknown') as tier,
        seen.first_paid_on,
        seen.left_on,
        seen.paying_since,
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
