-- When each customer was last active, and whether a silence is longer than its usual ones: by use, or by orders of who only orders.
with workspaces as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'product'
),

rules as (
    select
        max(case when rule = 'activity_gap_factor' then value end) as gap_factor,
        max(case when rule = 'activity_minimum_days' then value end) as minimum_days
    from {{ ref('journey_rules') }}
),

-- The last use as it is known today: what the health of past days was computed from may have been taken back since.
workspace_last_use as (
    select
        source_relation,
        workspace_id,
        max(last_used_on) as last_used_on
    from {{ ref('int_voice__feature_months') }}
    group by source_relation, workspace_id
),

-- A source in which nobody has done anything for days, or ever, is broken: who was last seen in it may be there still.
live as (
    select workspace_last_use.source_relation
    from workspace_last_use
    inner join {{ ref('health_rules') }} as health_rules on health_rules.rule = 'product_stale_after_days'
    group by workspace_last_use.source_relation, health_rules.value
    having max(workspace_last_use.last_used_on) >= {{ as_of_date() }} - cast(health_rules.value as int)
),

last_use as (
    select
        workspaces.customer_id,
        max(workspace_last_use.last_used_on) as last_active_on,
        max(case when live.source_relation is not null then workspace_last_use.last_used_on end) as last_used_on,
        max(case when live.source_relation is null then 1 else 0 end) = 1 as is_silent
    from workspaces
    left join workspace_last_use
        on workspaces.source_relation = workspace_last_use.source_relation and workspaces.source_id = workspace_last_use.workspace_id
    left join live on workspaces.source_relation = live.source_relation
    group by workspaces.customer_id
),

-- Silence begins with paying: nobody is blamed for the days before it. Of a silent source paying alone shows nothing.
paying as (
    select customer_id, paying_since
    from {{ ref('int_health__payers_as_seen') }}
    where valid_from <= {{ as_of_date() }} and (valid_to > {{ as_of_date() }} or valid_to is null)
),

-- How often it used the product in the 28 days up to its last use says how long its silences usually are.
used as (
    select
        last_use.customer_id,
        last_use.last_active_on,
        last_use.last_used_on,
        last_use.is_silent,
        max(case when workspace_use.as_of_date = last_use.last_used_on then workspace_use.active_days_28d end) as usual_days,
        max(case when workspace_use.as_of_date = {{ as_of_date() }} then workspace_use.active_days_28d end) as days_28d
    from last_use
    inner join workspaces on last_use.customer_id = workspaces.customer_id
    left join {{ ref('int_health__workspace_use') }} as workspace_use
        on
            workspaces.source_relation = workspace_use.source_relation
            and workspaces.source_id = workspace_use.workspace_id
            and workspace_use.as_of_date in (last_use.last_used_on, {{ as_of_date() }})
    group by last_use.customer_id, last_use.last_active_on, last_use.last_used_on, last_use.is_silent
),

ordered as (
    select
        activity.*,
        orders.orders_12m
    from {{ ref('int_churn__order_activity') }} as activity
    left join (
        select customer_id, count(*) as orders_12m
        from {{ ref('int_churn__orders') }}
        where ordered_on > {{ dbt.dateadd('month', -12, as_of_date()) }}
        group by customer_id
    ) as orders on activity.customer_id = orders.customer_id
),

judged as (
    select
        coalesce(ordered.customer_id, used.customer_id) as customer_id,
        case when ordered.customer_id is not null then 'orders' else 'use' end as basis,
        greatest(used.last_active_on, ordered.last_ordered_on) as last_active_on,
        case
            when ordered.customer_id is not null then coalesce(ordered.orders_12m, 0)
            when not used.is_silent then coalesce(used.days_28d, 0)
        end as frequency,
        case
            when {{ dbt.datediff('greatest(used.last_used_on, case when not used.is_silent then paying.paying_since end)', as_of_date(), 'day') }}
                <= greatest(rules.minimum_days, case
                    when used.last_used_on is not null then rules.gap_factor * 28 / greatest(1, coalesce(used.usual_days, 1))
                end) then true
            when ordered.customer_id is not null then not ordered.is_inactive
            when not used.is_silent then false
        end as is_active,
        ordered.customer_id is not null as has_ordered
    from used
    full outer join ordered on used.customer_id = ordered.customer_id
    left join paying on used.customer_id = paying.customer_id
    cross join rules
),

final as (
    select
        customer_id, basis, last_active_on, frequency, is_active,
        case
            when is_active is not null and frequency is not null then null
            when has_ordered then 'nobody has ordered twice'
            else 'the product source is silent'
        end as unknown_because
    from judged
)

select * from final
