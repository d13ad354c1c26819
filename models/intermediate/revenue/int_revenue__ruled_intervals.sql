-- MRR of each customer in each currency under each set of rules, as known at as_of_date: one row per stretch of days on which it does not
-- change, zeros between and after them included.
with subscriptions as (
    select
        rule_set,
        customer_id,
        currency,
        valid_from,
        valid_to,
        monthly_rate as mrr,
        monthly_rate_reporting as mrr_reporting
    from {{ ref('int_revenue__subscription_mrr') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

summed as (
    {{ sum_intervals('subscriptions', ['rule_set', 'customer_id', 'currency'], ['mrr', 'mrr_reporting']) }}
),

-- A customer that changes from one subscription to another within the grace days did not leave.
neighboured as (
    select
        summed.*,
        mrr < 0.005 and summed.valid_to is not null
            and {{ dbt.datediff('summed.valid_from', 'summed.valid_to', 'day') }} <= rules.grace_days as is_bridged,
        lag(mrr) over (partition by rule_set, customer_id, currency order by summed.valid_from) as previous_mrr,
        lag(mrr_reporting) over (partition by rule_set, customer_id, currency order by summed.valid_from) as previous_mrr_reporting
    from summed
    cross join rules
),

bridged as (
    select
        rule_set,
        customer_id,
        currency,
        valid_from,
        case when is_bridged and previous_mrr >= 0.005 then previous_mrr when mrr < 0.005 then 0 else mrr end as mrr,
        case when is_bridged and previous_mrr >= 0.005 then previous_mrr_reporting when mrr < 0.005 then 0 else mrr_reporting end as mrr_reporting
    from neighboured
),

-- Changes below half a cent are the noise of rounding, on whichever side of a half cent the two lie: such neighbours keep the first one's value.
marked as (
    select
        bridged.*,
        case
            when abs(mrr - lag(mrr) over (partition by rule_set, customer_id, currency order by valid_from)) < 0.005 then 0
            else 1
        end as is_native_change
    from bridged
),

numbered as (
    select
        marked.*,
        sum(is_native_change) over (partition by rule_set, customer_id, currency order by valid_from rows unbounded preceding) as native_stretch
    from marked
),

settled as (
    select
        rule_set,
        customer_id,
        currency,
        valid_from,
        mrr_reporting,
        cast(first_value(mrr) over (partition by rule_set, customer_id, currency, native_stretch order by valid_from) as decimal(18,4)) as mrr_amount
    from numbered
),

valued as (
    select
        settled.*,
        case when currency = '{{ var("reporting_currency") }}' then mrr_amount else cast(mrr_reporting as decimal(18,4)) end as mrr_reporting_amount
    from settled
),

compared as (
    select
        valued.*,
        lag(mrr_amount) over (partition by rule_set, customer_id, currency order by valid_from) as previous_amount,
        lag(mrr_reporting_amount) over (partition by rule_set, customer_id, currency order by valid_from) as previous_reporting_amount
    from valued
),

final as (
    select
        rule_set,
        customer_id,
        currency,
        valid_from,
        lead(valid_from) over (partition by rule_set, customer_id, currency order by valid_from) as valid_to,
        mrr_amount,
        mrr_reporting_amount
    from compared
    where
        mrr_amount is distinct from previous_amount
        or mrr_reporting_amount is distinct from previous_reporting_amount
)

select * from final
