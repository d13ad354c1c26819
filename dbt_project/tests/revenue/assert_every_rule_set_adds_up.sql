-- Opening + movements = closing under every set of rules, not only the one in force: up to each day on which anything changes the movements
-- of a customer in a currency add up to its ledger on that day, in the currency and in the reporting currency. With nothing left over.
with run_up as (
    select
        rule_set,
        customer_id,
        currency,
        moved_on,
        sum(sum(mrr_change)) over (partition by rule_set, customer_id, currency order by moved_on rows unbounded preceding) as mrr_amount,
        sum(sum(mrr_change_reporting)) over (
            partition by rule_set, customer_id, currency order by moved_on rows unbounded preceding
        ) as mrr_reporting_amount
    from {{ ref('int_revenue__ruled_movements') }}
    group by rule_set, customer_id, currency, moved_on
),

-- A ledger that begins with nothing (a credit before the first charge) has no movement on that day.
ledger as (
    select * from {{ ref('int_revenue__ruled_intervals') }}
)

select
    coalesce(ledger.rule_set, run_up.rule_set) as rule_set,
    coalesce(ledger.customer_id, run_up.customer_id) as customer_id,
    coalesce(ledger.currency, run_up.currency) as currency,
    coalesce(ledger.valid_from, run_up.moved_on) as on_date
from ledger
full outer join run_up
    on ledger.rule_set = run_up.rule_set
        and ledger.customer_id = run_up.customer_id
        and ledger.currency = run_up.currency
        and ledger.valid_from = run_up.moved_on
where
    coalesce(ledger.mrr_amount, 0) <> coalesce(run_up.mrr_amount, 0)
    or coalesce(ledger.mrr_reporting_amount, 0) <> coalesce(run_up.mrr_reporting_amount, 0)
