{#- 90 days more than are published, so that the change against 90 days ago is known on the first published day too; 0 = all days. -#}
{%- set days_kept = var('health_history_days') + 91 if var('health_history_days') else 20000 -%}
with payers as (
    select * from {{ ref('int_health__payers_as_seen') }}
),

customers as (
    select * from {{ ref('int_identities__customers') }}
),

rebuilt as (
    select * from {{ ref('int_health__rebuilt_customers') }}
),

tiers as (
    select * from {{ ref('int_health__tiers_as_seen') }}
),

days as (
    select {{ as_of_date() }} - cast(numbers.n as int) as as_of_date
    from range(0, {{ days_kept }}) as numbers (n)
),

windows as (
    select
        payers.customer_id,
        payers.mrr_reporting_amount,
        payers.first_paid_on,
        payers.paying_since,
        greatest(payers.valid_from, case when rebuilt.customer_id is null then {{ start_date() }} else payers.valid_from end) as first_day,
        least(
            coalesce(payers.valid_to - 1, {{ as_of_date() }}),
            case when rebuilt.customer_id is null then {{ end_date() }} else {{ as_of_date() }} end
        ) as last_day
    from payers
    inner join customers on payers.customer_id = customers.customer_id
    left join rebuilt on payers.customer_id = rebuilt.customer_id
),

final as (
    select
        windows.customer_id,
        days.as_of_date,
        windows.mrr_reporting_amount,
        windows.first_paid_on,
        cast({{ dbt.datediff('windows.first_paid_on', 'days.as_of_date', 'day') }} as bigint) as tenure_days,
        cast({{ dbt.datediff('windows.paying_since', 'days.as_of_date', 'day') }} as bigint) as paying_days,
        tiers.tier
    from windows
    inner join days on days.as_of_date between windows.first_day and windows.last_day
    inner join tiers
        on
            windows.customer_id = tiers.customer_id
            and days.as_of_date >= tiers.valid_from
            and (days.as_of_date < tiers.valid_to or tiers.valid_to is null)
)

select * from final
