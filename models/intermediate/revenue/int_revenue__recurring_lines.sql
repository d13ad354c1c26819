-- Recurring lines with the customer they belong to and their value in the reporting currency, at the rate of the day on which the
-- service period starts (of a credit for unused time: that of the line it takes back). What cannot be counted says why, is summed nowhere
-- and stands in int_revenue__line_exceptions.
with lines as (
    select * from {{ ref('int_revenue__line_rates') }}
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

-- A line does not say how long its discount goes on: its subscription does, as it was when the service period began.
discounts as (
    select
        source_relation,
        subscription_id,
        coalesce(discount_percent, 0) > 0 and discount_ends_at is null as is_lasting,
        case
            when lag(known_from) over (partition by source_relation, subscription_id order by known_from) is null
                then cast('0001-01-01' as date)
            else known_from
        end as valid_from,
        coalesce(known_until, cast('9999-12-31' as date)) as valid_to
    from {{ ref('int_billing__subscriptions') }}
),

final as (
    select
        lines.source_relation,
        lines.line_id,
        lines.known_from,
        lines.known_until,
        lines.invoice_id,
        lines.source_customer_id,
        nodes.customer_id,
        lines.subscription_id,
        lines.plan_id,
        lines.currency,
        lines.period_start_on,
        lines.period_end_on,
        lines.net_amount,
        lines.rate_basis,
        lines.is_price_mismatch,
        lines.monthly_rate,
        cast(
            cast(lines.monthly_rate as double) * cast(rates.exchange_rate as double) as decimal(28,10)
        ) as monthly_rate_reporting,
        lines.full_monthly_rate,
        cast(
            cast(lines.full_monthly_rate as double) * cast(rates.exchange_rate as double) as decimal(28,10)
        ) as full_monthly_rate_reporting,
        coalesce(discounts.is_lasting, false) as is_discount_lasting,
        case
            when lines.line_days = 0 and lines.is_proration then 'proration_without_period'
            when coalesce(lines.line_days, 0) <= 0 then 'no_service_period'
            when lines.monthly_rate is null then 'no_rate'
            when rates.exchange_rate is null then 'no_exchange_rate'
            when nodes.customer_id is null then 'unknown_customer'
        end as exception_reason
    from lines
    left join rates
        on lines.currency = rates.currency
            and lines.rated_on >= rates.valid_from
            and lines.rated_on < rates.valid_to
    left join nodes
        on lines.source_relation = nodes.source_relation
            and lines.source_customer_id = nodes.source_id
    left join discounts
        on lines.source_relation = discounts.source_relation
            and lines.subscription_id = discounts.subscription_id
            and lines.period_start_on >= discounts.valid_from
            and lines.period_start_on < discounts.valid_to
)

select * from final
