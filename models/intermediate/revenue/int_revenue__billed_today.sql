-- What the invoice lines say about today, per subscription: what counts, before discounts and after credit notes, what does not and why. The
-- evidence for the causes of int_revenue__subscription_reconciliation.
{% set is_known = "known_from <= " ~ as_of_date() ~ " and (known_until is null or known_until > " ~ as_of_date() ~ ")" %}
{% set is_due = "period_start_on <= " ~ as_of_date() ~ " and period_end_on > " ~ as_of_date() %}
with recurring as (
    select * from {{ ref('int_revenue__recurring_lines') }}
    where {{ is_known }} and {{ is_due }}
),

counted as (
    select * from {{ ref('int_revenue__billed_lines') }}
    where {{ is_known }} and {{ is_due }}
),

credits as (
    select
        source_relation,
        line_id,
        sum(monthly_rate) as credit_rate
    from {{ ref('int_revenue__billed_credits') }}
    where {{ is_known }} and {{ is_due }}
    group by source_relation, line_id
),

terms as (
    select source_relation, line_id, unit_amount, quantity, amount
    from {{ ref('int_billing__invoice_lines') }}
    where is_current
),

joined as (
    select
        recurring.*,
        counted.line_id is not null as is_counted,
        counted.full_monthly_rate as counted_full_rate,
        credits.credit_rate,
        terms.unit_amount,
        terms.quantity,
        terms.amount
    from recurring
    left join counted
        on recurring.source_relation = counted.source_relation and recurring.line_id = counted.line_id
    left join credits
        on counted.source_relation = credits.source_relation and counted.line_id = credits.line_id
    left join terms
        on recurring.source_relation = terms.source_relation and recurring.line_id = terms.line_id
),

final as (
    select
        source_relation,
        coalesce(subscription_id, 'none') as subscription_key,
        currency,
        sum(case when is_counted then 1 else 0 end) as counted_lines,
        cast(coalesce(sum(counted_full_rate), 0) as decimal(28,10)) as full_rate,
        cast(coalesce(sum(credit_rate), 0) as decimal(28,10)) as credit_rate,
        max(case when is_counted and amount > 0 then cast(unit_amount * coalesce(quantity, 1) as double) end) as highest_price,
        coalesce(max(case when exception_reason is not null then 1 else 0 end), 0) = 1 as has_exception,
        coalesce(max(case when exception_reason is null and not is_counted then 1 else 0 end), 0) = 1 as has_uncounted_invoice,
        coalesce(max(case when is_counted and (is_price_mismatch or unit_amount is null) then 1 else 0 end), 0) = 1 as has_unclear_price
    from joined
    group by source_relation, coalesce(subscription_id, 'none'), currency
)

select * from final
