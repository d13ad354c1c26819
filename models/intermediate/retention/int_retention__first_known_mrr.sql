-- MRR at the end of each complete month as it was known on that day: what the ledger said then, whatever was learned since. A subscription
-- without anything on the day carries on its last value while its gap is within the grace days and it was not known to have ended:
-- the ledger of that day did the same (int_revenue__subscription_mrr).
with months as (
    select month, closes_on
    from {{ ref('int_revenue__months') }}
    where is_complete
),

items as (
    select * from {{ ref('int_retention__mrr_items') }}
),

subscription_ends as (
    select * from {{ ref('int_revenue__subscription_ends') }}
),

probes as (
    select
        months.month,
        months.closes_on,
        cast(numbers.n as int) as days_back,
        cast(months.closes_on - cast(numbers.n as int) as date) as on_date
    from months
    cross join {{ ref('int_revenue__rules') }} as rules
    cross join range(0, 400) as numbers(n)
    where numbers.n <= rules.grace_days
),

seen as (
    select
        probes.month,
        probes.closes_on,
        probes.days_back,
        items.source_relation,
        items.customer_id,
        items.subscription_key,
        items.currency,
        sum(items.monthly_rate) as monthly_rate,
        sum(items.monthly_rate_reporting) as monthly_rate_reporting
    from probes
    inner join items
        on items.active_from <= probes.on_date
            and items.active_until > probes.on_date
            and items.known_from <= probes.closes_on
            and (items.known_until is null or items.known_until > probes.closes_on)
    group by
        probes.month, probes.closes_on, probes.days_back,
        items.source_relation, items.customer_id, items.subscription_key, items.currency
),

latest as (
    select * from seen
    where abs(monthly_rate) >= 0.005
    qualify row_number() over (
        partition by month, source_relation, customer_id, subscription_key, currency order by days_back
    ) = 1
),

standing as (
    select latest.*
    from latest
    left join subscription_ends
        on latest.source_relation = subscription_ends.source_relation
            and latest.subscription_key = subscription_ends.subscription_id
            and subscription_ends.known_from <= latest.closes_on
            and (subscription_ends.known_until is null or subscription_ends.known_until > latest.closes_on)
            and subscription_ends.ends_on <= latest.closes_on
    where latest.days_back = 0 or subscription_ends.subscription_id is null
),

final as (
    select
        month,
        customer_id,
        currency,
        cast(sum(monthly_rate_reporting) as decimal(18,4)) as mrr_reporting_amount
    from standing
    group by month, customer_id, currency
    having sum(monthly_rate) >= 0.005
)

select * from final
