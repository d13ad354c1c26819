with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

workspaces as (
    select
        nodes.customer_id,
        workspaces.source_relation,
        workspaces.workspace_id,
        min(workspaces.known_from) as known_from,
        max(coalesce(workspaces.known_until, cast('9999-12-31' as date))) as known_until
    from {{ ref('int_product__workspaces') }} as workspaces
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'product' and workspaces.source_relation = nodes.source_relation and workspaces.workspace_id = nodes.source_id
    group by nodes.customer_id, workspaces.source_relation, workspaces.workspace_id
),

-- A source in which nobody did anything for days is broken rather than unused.
fresh as (
    select
        workspace_use.source_relation,
        workspace_use.as_of_date
    from {{ ref('int_health__workspace_use') }} as workspace_use
    inner join {{ ref('health_rules') }} as rules on rules.rule = 'product_stale_after_days'
    group by workspace_use.source_relation, workspace_use.as_of_date, rules.value
    having max(workspace_use.last_used_on) >= workspace_use.as_of_date - cast(rules.value as int)
),

features as (
    select
        features.source_relation,
        days.as_of_date,
        count(*) as features,
        count(case when features.is_core then 1 end) as core_features
    from {{ ref('int_product__features') }} as features
    inner join (select as_of_date from customer_days group by as_of_date) as days
        on features.known_from <= days.as_of_date and (features.known_until > days.as_of_date or features.known_until is null)
    group by features.source_relation, days.as_of_date
),

-- Several workspaces: people and events add up; days and features are those of the busiest. One source alive will do, unless another is
-- silent in which the customer was active within 56 days: what it does there is not known, and so not how much it does in all.
summed as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        customer_days.paying_days,
        max(case when fresh.source_relation is not null then 1 else 0 end) = 1
        and max(case when fresh.source_relation is null and workspace_use.workspace_id is not null then 1 else 0 end) = 0 as is_observed,
        cast(sum(coalesce(workspace_use.active_users_28d, 0)) as bigint) as active_users_28d,
        cast(sum(coalesce(workspace_use.user_days_28d, 0)) as bigint) as user_days_28d,
        max(coalesce(workspace_use.active_days_28d, 0)) as active_days_28d,
        max(coalesce(workspace_use.features_28d, 0)) as features_28d,
        max(coalesce(workspace_use.core_features_28d, 0)) as core_features_28d,
        cast(sum(coalesce(workspace_use.events_28d, 0)) as bigint) as events_28d,
        cast(sum(coalesce(workspace_use.events_prior_28d, 0)) as bigint) as events_prior_28d,
        max(workspace_use.last_used_on) as last_used_on,
        -- what the catalogue does not list is in use, but no part of the share of it
        max(cast(coalesce(workspace_use.features_28d - workspace_use.unlisted_features_28d, 0) as double) / features.features) as feature_share,
        max(cast(coalesce(workspace_use.core_features_28d, 0) as double) / nullif(features.core_features, 0)) as core_feature_share
    from customer_days
    inner join workspaces
        on
            customer_days.customer_id = workspaces.customer_id
            and customer_days.as_of_date >= workspaces.known_from
            and customer_days.as_of_date < workspaces.known_until
    left join {{ ref('int_health__workspace_use') }} as workspace_use
        on
            workspaces.source_relation = workspace_use.source_relation
            and workspaces.workspace_id = workspace_use.workspace_id
            and customer_days.as_of_date = workspace_use.as_of_date
    left join fresh on workspaces.source_relation = fresh.source_relation and customer_days.as_of_date = fresh.as_of_date
    left join features on workspaces.source_relation = features.source_relation and customer_days.as_of_date = features.as_of_date
    group by customer_days.customer_id, customer_days.as_of_date, customer_days.paying_days
),

-- The first week says nothing yet, of who is new as of who is back; until day 28 active days are scaled to 28.
final as (
    select
        summed.customer_id,
        summed.as_of_date,
        summed.is_observed,
        summed.active_users_28d,
        summed.features_28d,
        summed.core_features_28d,
        summed.last_used_on,
        summed.is_observed and summed.paying_days >= 28 as has_stickiness,
        summed.is_observed and summed.paying_days >= 56 as has_use_trend,
        case
            when summed.is_observed and summed.paying_days >= 7
                then least(28, {{ to_money('summed.active_days_28d * 28.0e0 / least(28, summed.paying_days + 1)') }})
        end as active_days_28d,
        case
            when summed.is_observed and summed.paying_days >= 28
                then {{ to_money('summed.user_days_28d / (28.0e0 * nullif(summed.active_users_28d, 0))') }}
        end as stickiness,
        case
            when summed.is_observed and summed.paying_days >= 56
                then {{ to_money('cast(summed.events_28d as double) / nullif(summed.events_prior_28d, 0)') }}
        end as use_trend,
        case
            when summed.is_observed and summed.paying_days >= 7
                then least({{ dbt.datediff('coalesce(summed.last_used_on, summed.as_of_date - 57)', 'summed.as_of_date', 'day') }}, 57)
        end as days_since_use,
        case
            when summed.is_observed and summed.paying_days >= 28
                then {{ to_money('cast(summed.active_users_28d as double) / nullif(cast(seats.seats as double), 0)') }}
        end as seat_use,
        {%- for column, measure in [('feature_share', 'feature_breadth'), ('core_feature_share', 'core_feature_share')] %}
        case
            when summed.is_observed and summed.paying_days >= 28 then {{ to_money('summed.' ~ column) }}
        end as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
    left join {{ ref('int_health__seat_days') }} as seats on summed.customer_id = seats.customer_id and summed.as_of_date = seats.as_of_date
)

select * from final
