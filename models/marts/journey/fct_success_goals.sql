-- Current goals as they stand at as_of_date: what was measured, achieved or realised after it does not count yet.
with goals as (
    select
        nodes.customer_id,
        goals.*,
        case when {{ reporting_date('goals.updated_at') }} <= {{ as_of_date() }} then goals.current_value end as measured_value,
        case when {{ reporting_date('goals.updated_at') }} <= {{ as_of_date() }} then goals.value_realized end as value_so_far,
        case when {{ reporting_date('goals.achieved_at') }} <= {{ as_of_date() }} then {{ reporting_date('goals.achieved_at') }} end as achieved_on
    from {{ ref('int_crm__success_goals') }} as goals
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and goals.source_relation = nodes.source_relation and goals.account_id = nodes.source_id
    where goals.is_current
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
    where {{ as_of_date() }} >= valid_from and {{ as_of_date() }} < valid_to
),

-- What the customer has been billed is what its goals have cost it, each an equal part.
costs as (
    select
        customer_id,
        cast(sum(net_reporting_amount) as double) as billed_amount
    from {{ ref('fct_revenue') }}
    where kind <> 'tax' and booked_on <= {{ as_of_date() }}
    group by customer_id
),

valued as (
    select
        goals.*,
        case
            when goals.achieved_on is not null then 1
            when goals.target <> goals.baseline
                then (cast(goals.measured_value as double) - cast(goals.baseline as double))
                    / (cast(goals.target as double) - cast(goals.baseline as double))
        end as progress,
        {{ to_money('cast(goals.value_so_far as double) * cast(rates.exchange_rate as double)') }} as value_realized_reporting_amount,
        {{ to_money(
            'costs.billed_amount / count(*) over (partition by goals.customer_id)'
        ) }} as cost_reporting_amount
    from goals
    left join rates on coalesce(goals.currency, '{{ var("reporting_currency") }}') = rates.currency
    left join costs on goals.customer_id = costs.customer_id
),

final as (
    select
        cast(source_relation as string) as source_relation,
        cast(goal_id as string) as goal_id,
        cast(customer_id as string) as customer_id,
        cast({{ without_addresses('metric') }} as string) as metric,
        cast(baseline as decimal(18,4)) as baseline,
        cast(target as decimal(18,4)) as target,
        cast(measured_value as decimal(18,4)) as current_value,
        due_on,
        achieved_on,
        {{ to_money('progress') }} as progress,
        cast(case
            when achieved_on is not null then 'achieved'
            when due_on < {{ as_of_date() }} then 'overdue'
            when progress is not null then 'in_progress'
        end as string) as status,
        case when achieved_on is not null then achieved_on <= due_on end as is_achieved_in_time,
        cast(value_so_far as decimal(18,4)) as value_realized_amount,
        cast(currency as string) as currency,
        value_realized_reporting_amount,
        cost_reporting_amount,
        case
            when cost_reporting_amount > 0
                then {{ to_money('cast(value_realized_reporting_amount as double) / cast(cost_reporting_amount as double)') }}
        end as roi,
        cast(case
            when achieved_on is null and (baseline is null or target is null or measured_value is null)
                then 'baseline, target or current value is missing'
            when achieved_on is null and target = baseline then 'the target equals the baseline'
            when value_so_far is null then 'no value was reported'
            when value_realized_reporting_amount is null then 'no exchange rate'
            when coalesce(cost_reporting_amount, 0) <= 0 then 'nothing was billed'
        end as string) as unmeasured_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from valued
)

select * from final
