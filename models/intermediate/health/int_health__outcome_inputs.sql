{%- set elapsed = dbt.datediff('customer_days.first_paid_on', 'customer_days.as_of_date', 'day') -%}
{%- set available = dbt.datediff('customer_days.first_paid_on', 'goals.due_on', 'day') -%}
with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

goals as (
    select
        nodes.customer_id,
        goals.source_relation,
        goals.goal_id,
        cast(goals.baseline as double) as baseline,
        cast(goals.target as double) as target,
        cast(goals.current_value as double) as current_value,
        goals.due_on,
        {{ reporting_date('goals.achieved_at') }} as achieved_on,
        {{ reporting_date('goals.updated_at') }} as updated_on,
        goals.known_from,
        coalesce(goals.known_until, cast('9999-12-31' as date)) as known_until
    from {{ ref('int_crm__success_goals') }} as goals
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and goals.source_relation = nodes.source_relation and goals.account_id = nodes.source_id
),

-- Progress against the share of the time to the due date that has gone by since the first payment, in thousandths, at most 1.
-- Before a fifth of the time is over there is nothing to judge; a measurement counts from the day it was taken until it is stale.
paces as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        case
            when goals.achieved_on <= customer_days.as_of_date then 1000
            when customer_days.as_of_date between goals.updated_on and goals.updated_on + cast(rules.value as int)
                and goals.current_value is not null
                and goals.target <> goals.baseline
                and {{ elapsed }} > 0
                and {{ elapsed }} * 5 >= coalesce({{ available }}, 0)
                then cast(floor(1000 * least(1, greatest(0,
                    (goals.current_value - goals.baseline) / (goals.target - goals.baseline)
                    * greatest(1, coalesce(cast({{ available }} as double) / {{ elapsed }}, 1))
                )) + 0.0005) as bigint)
        end as pace
    from customer_days
    inner join goals
        on
            customer_days.customer_id = goals.customer_id
            and customer_days.as_of_date >= goals.known_from
            and customer_days.as_of_date < goals.known_until
    inner join {{ ref('health_rules') }} as rules on rules.rule = 'goal_stale_after_days'
),

final as (
    select
        customer_id,
        as_of_date,
        {{ to_money('cast(sum(pace) as double) / (1000 * count(pace))') }} as goal_pace
    from paces
    where pace is not null
    group by customer_id, as_of_date
)

select * from final
