-- Every change of MRR under each set of rules, per customer and currency, classified in the dictionary's order. One change may be two rows:
-- what a change of the native MRR brings, and what the exchange rates did to the rest.
with intervals as (
    select * from {{ ref('int_revenue__ruled_intervals') }}
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
),

compared as (
    select
        intervals.rule_set,
        intervals.customer_id,
        intervals.currency,
        intervals.valid_from as moved_on,
        coalesce(lag(mrr_amount) over (partition by rule_set, customer_id, currency order by valid_from), 0) as mrr_before,
        mrr_amount as mrr_after,
        coalesce(lag(mrr_reporting_amount) over (partition by rule_set, customer_id, currency order by valid_from), 0) as reporting_before,
        mrr_reporting_amount as reporting_after,
        coalesce(max(mrr_amount) over (
            partition by rule_set, customer_id, currency order by valid_from rows between unbounded preceding and 1 preceding
        ), 0) as highest_before
    from intervals
),

-- What is gained is worth the day's rate, what is lost the rate at which it was carried.
valued as (
    select
        compared.*,
        case
            when mrr_before = 0 and mrr_after > 0 and highest_before = 0 then 'new'
            when mrr_before = 0 and mrr_after > 0 then 'reactivation'
            when mrr_before > 0 and mrr_after = 0 then 'churn'
            when mrr_after > mrr_before then 'expansion'
            when mrr_after < mrr_before then 'contraction'
        end as movement,
        case
            when mrr_after = mrr_before then 0
            when mrr_before = 0 or mrr_after = 0 then reporting_after - reporting_before
            when mrr_after > mrr_before
                then cast((mrr_after - mrr_before) * rates.exchange_rate as decimal(18,4))
            else {{ to_money(
                'cast(mrr_after - mrr_before as double) * cast(reporting_before as double) / nullif(cast(mrr_before as double), 0)'
            ) }}
        end as movement_reporting
    from compared
    left join rates
        on compared.currency = rates.currency
            and compared.moved_on >= rates.valid_from
            and compared.moved_on < rates.valid_to
),

-- A cent of rounding is no exchange-rate movement: it goes with the movement itself. Without a rate for the day there is no split.
split as (
    select
        valued.*,
        reporting_after - reporting_before as reporting_change,
        case
            when movement is null then reporting_after - reporting_before
            when abs(reporting_after - reporting_before - movement_reporting) < 0.01 then 0
            else coalesce(reporting_after - reporting_before - movement_reporting, 0)
        end as fx_reporting
    from valued
),

final as (
    select
        rule_set,
        customer_id,
        currency,
        moved_on,
        movement,
        mrr_before,
        mrr_after,
        cast(mrr_after - mrr_before as decimal(18,4)) as mrr_change,
        cast(reporting_change - fx_reporting as decimal(18,4)) as mrr_change_reporting
    from split
    where movement is not null
    union all
    select
        rule_set,
        customer_id,
        currency,
        moved_on,
        'fx' as movement,
        mrr_after as mrr_before,
        mrr_after,
        cast(0 as decimal(18,4)) as mrr_change,
        cast(fx_reporting as decimal(18,4)) as mrr_change_reporting
    from split
    where fx_reporting <> 0
)

select * from final
