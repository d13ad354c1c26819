-- How many whole months each customer has paid without a gap since it first did, and whether it then left: what lifetimes are
-- fitted on. A customer that came back counts until it first left.
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
        ends.customer_id,
        coalesce(segments.segment, 'unknown') as tier,
        ends.first_paid_on,
        ends.left_on,
        cast(floor(
            {{ dbt.datediff('ends.first_paid_on', 'coalesce(ends.left_on, ' ~ as_of_date() ~ ')', 'day') }} / 30.4375e0
        ) as int) as months_paid,
        cast(coalesce(now.mrr, 0) as decimal(18,4)) as mrr_reporting_amount,
        costs.acquisition_cost
    from ends
    left join now on ends.customer_id = now.customer_id
    left join segments on ends.customer_id = segments.customer_id
    left join {{ ref('int_revenue__acquisition_costs') }} as costs on ends.customer_id = costs.customer_id
)

select * from final
