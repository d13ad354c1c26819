-- Opening + movements = closing for every customer and currency in every month, in the currency and in the reporting currency, with
-- nothing left over. Held against the published tables themselves: the ledger's value at each month's end is the sum of all movements so far.
with months as (
    select * from {{ ref('int_revenue__months') }}
),

ledger as (
    select
        months.month,
        ledger.customer_id,
        ledger.currency,
        ledger.mrr_amount as native,
        ledger.mrr_reporting_amount as reporting
    from months
    inner join {{ ref('fct_customer_mrr') }} as ledger
        on ledger.valid_from <= months.closes_on
            and (ledger.valid_to is null or ledger.valid_to > months.closes_on)
),

-- Monthly sums of the movements, run up: the same number as opening + movements of the month, by induction from zero.
monthly as (
    select
        cast(date_trunc('month', moved_on) as date) as month,
        customer_id,
        currency,
        sum(mrr_change) as native,
        sum(mrr_change_reporting) as reporting
    from {{ ref('fct_mrr_movements') }}
    group by cast(date_trunc('month', moved_on) as date), customer_id, currency
),

run_up as (
    select
        months.month,
        monthly.customer_id,
        monthly.currency,
        sum(monthly.native) as native,
        sum(monthly.reporting) as reporting
    from months
    inner join monthly
        on monthly.month <= months.month
    group by months.month, monthly.customer_id, monthly.currency
)

select
    coalesce(run_up.month, ledger.month) as month,
    coalesce(run_up.customer_id, ledger.customer_id) as customer_id,
    coalesce(run_up.currency, ledger.currency) as currency,
    coalesce(run_up.native, 0) - coalesce(ledger.native, 0) as residual,
    coalesce(run_up.reporting, 0) - coalesce(ledger.reporting, 0) as residual_reporting
from run_up
full outer join ledger
    on run_up.month = ledger.month
        and run_up.customer_id = ledger.customer_id
        and run_up.currency = ledger.currency
where
    coalesce(run_up.native, 0) <> coalesce(ledger.native, 0)
    or coalesce(run_up.reporting, 0) <> coalesce(ledger.reporting, 0)
