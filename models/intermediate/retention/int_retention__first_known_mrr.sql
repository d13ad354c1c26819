{% set columns = ['month', 'closes_on', 'source_relation', 'customer_id', 'subscription_key', 'currency'] -%}
{% set keys = columns | join(', ') -%}
-- MRR at the end of each complete month as it was known on that day: what the ledger said then, whatever was learned since. A subscription
-- without anything on the day carries on its last value while its gap is within the grace days and it was not known to have ended, nor to
-- be suspended: the ledger of that day did the same (int_revenue__subscription_mrr).
with months as (
    select month, closes_on
    from {{ ref('int_revenue__months') }}
    where is_complete
),

subscription_ends as (
    select * from {{ ref('int_revenue__subscription_ends') }}
),

-- What was known and active on the day, or within the grace days before it.
near as (
    select
        months.month,
        months.closes_on,
        rules.grace_days,
        items.*
    from months
    cross join {{ ref('int_revenue__rules') }} as rules
    inner join {{ ref('int_retention__mrr_items') }} as items
        on months.closes_on >= items.active_from
            and months.closes_on - rules.grace_days < items.active_until
    where items.known_from <= months.closes_on and (items.known_until is null or items.known_until > months.closes_on)
),

on_the_day as (
    select
        {{ keys }},
        max(grace_days) as grace_days,
        0 as days_back,
        sum(case when active_until > closes_on then monthly_rate else 0 end) as monthly_rate,
        sum(case when active_until > closes_on then monthly_rate_reporting else 0 end) as monthly_rate_reporting
    from near
    group by {{ keys }}
),

-- Only for those with nothing on the day: each day before it, back to the last on which there was something.
gaps as (
    select on_the_day.*, cast(numbers.n as int) as probed
    from on_the_day
    cross join range(1, 400) as numbers (n)
    where abs(on_the_day.monthly_rate) < 0.005 and numbers.n <= on_the_day.grace_days
),

probed as (
    select
        {% for column in columns -%}
        gaps.{{ column }},
        {% endfor -%}
        gaps.probed as days_back,
        near.monthly_rate,
        near.monthly_rate_reporting
    from gaps
    inner join near
        on {% for column in columns %}gaps.{{ column }} = near.{{ column }}
            and {% endfor %}gaps.closes_on - gaps.probed >= near.active_from
            and gaps.closes_on - gaps.probed < near.active_until
),

before_the_gap as (
    select
        {{ keys }},
        days_back,
        sum(monthly_rate) as monthly_rate,
        sum(monthly_rate_reporting) as monthly_rate_reporting
    from probed
    group by {{ keys }}, days_back
),

latest as (
    select {{ keys }}, days_back, monthly_rate, monthly_rate_reporting from on_the_day
    where abs(monthly_rate) >= 0.005
    union all
    select * from before_the_gap
    where abs(monthly_rate) >= 0.005
    qualify row_number() over (partition by {{ keys }} order by days_back) = 1
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
    where (latest.days_back = 0 or subscription_ends.subscription_id is null)
        and not exists (
            select 1
            from {{ ref('int_revenue__suspensions') }} as suspensions
            where suspensions.rule_set = 0
                and latest.source_relation = suspensions.source_relation
                and latest.customer_id = suspensions.customer_id
                and latest.subscription_key = suspensions.subscription_key
                and suspensions.known_from <= latest.closes_on
                and (suspensions.known_until is null or suspensions.known_until > latest.closes_on)
                and suspensions.suspended_from <= latest.closes_on
                and (suspensions.suspended_until is null or suspensions.suspended_until > latest.closes_on - latest.days_back)
        )
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
