-- Opening + movements = closing for every customer and currency, in the currency and in the reporting currency, with nothing left
-- over. Held against the published ledger on every day on which anything changes, which is more than on every month's end: up to any
-- day the movements add up to the ledger's value on that day.
with ledger as (
    select
        customer_ledger.*,
        lead(valid_from) over (partition by customer_id, currency order by valid_from) as next_from
    from {{ ref('fct_customer_mrr') }} as customer_ledger
),

points as (
    select
        customer_id,
        currency,
        valid_from as on_date,
        mrr_amount,
        mrr_reporting_amount
    from ledger
    union all
    select
        customer_id,
        currency,
        valid_to as on_date,
        0 as mrr_amount,
        0 as mrr_reporting_amount
    from ledger
    where valid_to is not null and valid_to is distinct from next_from
),

run_up as (
    select
        customer_id,
        currency,
        moved_on,
        sum(sum(mrr_change)) over (partition by customer_id, currency order by moved_on rows unbounded preceding) as mrr_amount,
        sum(sum(mrr_change_reporting)) over (
            partition by customer_id, currency order by moved_on rows unbounded preceding
        ) as mrr_reporting_amount
    from {{ ref('fct_mrr_movements') }}
    group by customer_id, currency, moved_on
)

select
    coalesce(points.customer_id, run_up.customer_id) as customer_id,
    coalesce(points.currency, run_up.currency) as currency,
    coalesce(points.on_date, run_up.moved_on) as on_date,
    run_up.mrr_amount - points.mrr_amount as residual,
    run_up.mrr_reporting_amount - points.mrr_reporting_amount as residual_reporting
from points
full outer join run_up
    on points.customer_id = run_up.customer_id
        and points.currency = run_up.currency
        and points.on_date = run_up.moved_on
where
    points.mrr_amount is distinct from run_up.mrr_amount
    or points.mrr_reporting_amount is distinct from run_up.mrr_reporting_amount
