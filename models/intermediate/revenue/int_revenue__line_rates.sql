-- The monthly rate of each recurring line, in its own currency. Every version of the line.
with lines as (
    select * from {{ ref('int_revenue__line_intervals') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

-- A discount in whole or half per cents that explains the line's discount to half a minor unit (half of it included) IS that percentage: taking the
-- rounded amounts of a short proration would multiply their rounding when scaled up, and the two halves of a pair would not cancel.
discounted as (
    select
        lines.*,
        power(10, -coalesce(currencies.minor_unit_exponent, 2)) as minor_unit,
        case
            when discount_amount = 0 or amount = 0 then 0.0e0
            when abs(abs(amount) * round(discount_amount / abs(amount) * 100) / 100 - discount_amount)
                < 0.5001 * power(10, -coalesce(currencies.minor_unit_exponent, 2))
                then round(discount_amount / abs(amount) * 100) / 100
            when abs(abs(amount) * round(discount_amount / abs(amount) * 200) / 200 - discount_amount)
                < 0.5001 * power(10, -coalesce(currencies.minor_unit_exponent, 2))
                then round(discount_amount / abs(amount) * 200) / 200
            else least(discount_amount / abs(amount), 1.0e0)
        end as discount_share,
        abs({{ multiply_money('unit_amount', 'coalesce(quantity, 1)') }}) as full_price
    from lines
    left join currencies
        on lines.currency = currencies.currency
),

-- Does unit price x quantity explain the amount, in full or for the share of the interval that the line covers?
checked as (
    select
        discounted.*,
        coalesce(
            abs(abs(amount) - full_price) <= minor_unit * 1.001
            or abs(amount) between full_price * line_days / nullif(longest_days, 0) - minor_unit * 1.001
            and full_price * line_days / nullif(shortest_days, 0) + minor_unit * 1.001,
            false
        ) as is_explained,
        case
            when line_days between shortest_days - 0.1 and longest_days + 0.1 then 1.0e0
            else longest_days / nullif(line_days, 0)
        end as scale_to_interval
    from discounted
),

rated as (
    select
        checked.*,
        case when is_explained then sign(amount) * full_price else amount * scale_to_interval end
        / nullif(months_in_interval, 0) as rate_before_discount
    from checked
),

final as (
    select
        source_relation,
        line_id,
        known_from,
        known_until,
        invoice_id,
        source_customer_id,
        subscription_id,
        plan_id,
        currency,
        period_start_on,
        period_end_on,
        rated_on,
        line_days,
        is_proration,
        cast(amount - sign(amount) * least(discount_amount, abs(amount)) as decimal(28,10)) as net_amount,
        case when is_explained then 'unit_price' else 'amount' end as rate_basis,
        coalesce(amount <> 0 and full_price is not null and not is_explained, false) as is_price_mismatch,
        cast(rate_before_discount * (1 - discount_share) as decimal(28,10)) as monthly_rate,
        cast(rate_before_discount as decimal(28,10)) as full_monthly_rate
    from rated
)

select * from final
