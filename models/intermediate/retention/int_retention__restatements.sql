-- What has changed of the MRR of each customer and currency at the end of each complete month since that day, by cause. What the lines do
-- not explain is a suspension that was learned of, or a gap between periods that was carried over then and is not now, or the other way round.
with months as (
    select month, closes_on
    from {{ ref('int_revenue__months') }}
    where is_complete
),

first_known as (
    select * from {{ ref('int_retention__first_known_mrr') }}
),

known_now as (
    select
        months.month,
        intervals.customer_id,
        intervals.currency,
        intervals.mrr_reporting_amount
    from months
    inner join {{ ref('int_revenue__mrr_intervals') }} as intervals
        on months.closes_on >= intervals.valid_from
            and (intervals.valid_to is null or months.closes_on < intervals.valid_to)
),

differences as (
    select month, customer_id, currency, sum(amount) as difference
    from (
        select month, customer_id, currency, mrr_reporting_amount as amount from known_now
        union all
        select month, customer_id, currency, -mrr_reporting_amount as amount from first_known
    ) as both_sides
    group by month, customer_id, currency
    having sum(amount) <> 0
),

explained as (
    select
        differences.month,
        differences.customer_id,
        differences.currency,
        differences.difference,
        lines.cause,
        cast(sum(lines.amount) as decimal(18,4)) as amount
    from differences
    inner join {{ ref('int_retention__restated_lines') }} as lines
        on differences.month = lines.month
            and differences.customer_id = lines.customer_id
            and differences.currency = lines.currency
    group by differences.month, differences.customer_id, differences.currency, differences.difference, lines.cause
),

remainders as (
    select
        differences.month,
        differences.customer_id,
        differences.currency,
        differences.difference - coalesce(sum(explained.amount), 0) as remainder
    from differences
    left join explained
        on differences.month = explained.month
            and differences.customer_id = explained.customer_id
            and differences.currency = explained.currency
    group by differences.month, differences.customer_id, differences.currency, differences.difference
),

-- Less than half a cent is rounding: it goes with the largest cause.
ranked as (
    select
        explained.*,
        remainders.remainder,
        row_number() over (
            partition by explained.month, explained.customer_id, explained.currency order by abs(explained.amount) desc, explained.cause
        ) as place
    from explained
    inner join remainders
        on explained.month = remainders.month
            and explained.customer_id = remainders.customer_id
            and explained.currency = remainders.currency
),

suspended as (
    select months.month, suspensions.customer_id
    from months
    inner join {{ ref('int_revenue__suspensions') }} as suspensions
        on suspensions.rule_set = 0
            and suspensions.suspended_from <= months.closes_on
            and (suspensions.suspended_until is null or suspensions.suspended_until > months.closes_on)
    group by months.month, suspensions.customer_id
),

final as (
    select
        month,
        customer_id,
        currency,
        cause,
        cast(amount + case when place = 1 and abs(remainder) < 0.005 then remainder else 0 end as decimal(18,4)) as amount
    from ranked
    union all
    select
        remainders.month,
        remainders.customer_id,
        remainders.currency,
        case when suspended.month is null then 'bridged_gap' else 'suspension' end as cause,
        cast(remainders.remainder as decimal(18,4)) as amount
    from remainders
    left join suspended on remainders.month = suspended.month and remainders.customer_id = suspended.customer_id
    left join ranked
        on remainders.month = ranked.month
            and remainders.customer_id = ranked.customer_id
            and remainders.currency = ranked.currency
            and ranked.place = 1
    where abs(remainders.remainder) >= 0.005 or (ranked.month is null and remainders.remainder <> 0)
)

select * from final
where amount <> 0
