-- From the lines of the billing system to the mart: today's MRR is the sum of the monthly rates of the lines that are active today,
-- per customer and currency, to the cent. Listed causes: a bridged gap (the ledger carries the last value on), a subscription that the
-- rules suspend (paused, unpaid) and a sum below zero (listed by warn_about_negative_mrr).
{% set is_known = "known_from <= " ~ as_of_date() ~ " and (known_until is null or known_until > " ~ as_of_date() ~ ")" %}
with suspended as (
    select source_relation, customer_id, subscription_key
    from {{ ref('int_revenue__suspensions') }}
    where rule_set = 0 and {{ is_known }} and suspended_from <= {{ as_of_date() }}
        and (suspended_until is null or suspended_until > {{ as_of_date() }})
),

lines as (
    select customer_id, currency, monthly_rate
    from {{ ref('int_revenue__ruled_lines') }} as ruled_lines
    where rule_set = 0 and {{ as_of_date() }} >= active_from and {{ as_of_date() }} < active_until and {{ is_known }}
        and not exists (
            select 1 from suspended
            where suspended.source_relation = ruled_lines.source_relation
                and suspended.customer_id = ruled_lines.customer_id
                and suspended.subscription_key = coalesce(ruled_lines.subscription_id, 'none')
        )
),

summed as (
    select customer_id, currency, sum(monthly_rate) as mrr
    from lines
    group by customer_id, currency
),

bridged as (
    select distinct customer_id, currency
    from {{ ref('int_revenue__subscription_mrr') }}
    where rule_set = 0 and valid_to is null and is_bridged
),

ledger as (
    select customer_id, currency, mrr_amount
    from {{ ref('fct_customer_mrr') }}
    where valid_to is null
)

select
    coalesce(summed.customer_id, ledger.customer_id) as customer_id,
    coalesce(summed.currency, ledger.currency) as currency,
    summed.mrr as mrr_of_lines,
    ledger.mrr_amount as mrr_of_ledger
from summed
full outer join ledger
    on summed.customer_id = ledger.customer_id and summed.currency = ledger.currency
left join bridged
    on coalesce(summed.customer_id, ledger.customer_id) = bridged.customer_id
        and coalesce(summed.currency, ledger.currency) = bridged.currency
where
    abs(greatest(coalesce(summed.mrr, 0), 0) - coalesce(ledger.mrr_amount, 0)) >= 0.01
    and bridged.customer_id is null
