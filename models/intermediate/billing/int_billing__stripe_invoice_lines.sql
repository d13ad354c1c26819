-- Stripe's invoice lines in the columns of the contract. `amount` is before discounts, as at Stripe, and without tax: tax is a line of
-- its own, taken out of the line where Stripe's price includes it, so that the lines of an invoice sum to its total. Such a tax is
-- that of the discounted amount, so amount and discount both give their share of it.
with lines as (
    select * from {{ ref('stg_stripe__invoice_lines') }}
),

-- A line often names its price without repeating it. Stripe never changes interval or amount of a price, so today's is the line's.
plans as (
    select * from {{ ref('int_billing__stripe_plans') }}
    where is_current
),

priced as (
    select
        lines.*,
        coalesce(lines.unit_amount, plans.unit_amount) as price,
        coalesce(lines.interval, plans.interval) as billing_interval,
        coalesce(lines.interval_count, plans.interval_count) as billing_interval_count,
        coalesce(lines.usage_type, plans.usage_type) as billed_by,
        case
            when lines.inclusive_tax_amount <> 0 and lines.amount <> lines.discount_amount then
                cast(lines.amount as double) * cast(lines.inclusive_tax_amount as double) / cast(lines.amount - lines.discount_amount as double)
            else 0e0
        end as tax_in_amount
    from lines
    left join plans
        on lines.source_relation = plans.source_relation
            and lines.plan_id = plans.plan_id
),

netted as (
    select
        priced.*,
        cast(amount - {{ to_money('tax_in_amount') }} as decimal(18,4)) as amount_without_tax
    from priced
),

services as (
    select
        line_id,
        invoice_id,
        customer_id,
        subscription_id,
        plan_id,
        case
            when billed_by = 'metered' then 'usage'
            when billing_interval is not null or line_type = 'subscription' then 'recurring'
            else 'one_time'
        end as kind,
        quantity,
        case
            when inclusive_tax_amount <> 0
                then cast(cast(price as double) * cast(amount_without_tax as double) / nullif(cast(amount as double), 0) as decimal(18,4))
            else price
        end as unit_amount,
        amount_without_tax as amount,
        cast(amount_without_tax - (amount - discount_amount - inclusive_tax_amount) as decimal(18,4)) as discount_amount,
        currency,
        period_start,
        period_end,
        billing_interval as interval,
        billing_interval_count as interval_count,
        is_proration,
        source_relation,
        known_from,
        known_until,
        is_current,
        is_deleted
    from netted
),

taxes as (
    select
        line_id || '-tax' as line_id,
        invoice_id,
        customer_id,
        subscription_id,
        plan_id,
        'tax' as kind,
        cast(null as decimal(18,4)) as quantity,
        cast(null as decimal(18,4)) as unit_amount,
        tax_amount as amount,
        cast(0 as decimal(18,4)) as discount_amount,
        currency,
        period_start,
        period_end,
        cast(null as string) as interval,
        cast(null as bigint) as interval_count,
        is_proration,
        source_relation,
        known_from,
        known_until,
        is_current,
        is_deleted
    from priced
    where tax_amount <> 0
),

final as (
    select * from services
    union all
    select * from taxes
)

select * from final
