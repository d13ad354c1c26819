-- For each solution the customers who raised its theme in the year before its launch (or before today), and all who paid on that day, with
-- what they paid then and 90 days after the launch.
with solutions as (
    select
        solution_id,
        theme,
        feature,
        campaign_id,
        launched_on,
        case when launched_on <= {{ as_of_date() }} then launched_on + (-1) else {{ as_of_date() }} end as reached_on,
        case when launched_on + 90 <= {{ as_of_date() }} then launched_on + 90 end as measured_on
    from {{ ref('solutions') }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

raised as (
    select solutions.solution_id, mentions.customer_id
    from solutions
    inner join {{ ref('int_voice__mentions') }} as mentions
        on
            solutions.theme = mentions.theme
            and mentions.mentioned_on <= solutions.reached_on
            and mentions.mentioned_on > solutions.reached_on + (-365)
    where mentions.customer_id is not null
    group by solutions.solution_id, mentions.customer_id
),

paid as (
    select
        solutions.solution_id,
        intervals.customer_id,
        sum(case when intervals.valid_from <= solutions.reached_on and (intervals.valid_to > solutions.reached_on or intervals.valid_to is null)
            then intervals.mrr_reporting_amount else 0 end) as mrr_before,
        sum(case when intervals.valid_from <= solutions.measured_on and (intervals.valid_to > solutions.measured_on or intervals.valid_to is null)
            then intervals.mrr_reporting_amount else 0 end) as mrr_after
    from solutions
    inner join {{ ref('int_revenue__mrr_intervals') }} as intervals
        on
            intervals.valid_from <= coalesce(solutions.measured_on, solutions.reached_on)
            and (intervals.valid_to > solutions.reached_on or intervals.valid_to is null)
    group by solutions.solution_id, intervals.customer_id
),

-- They know of it who were addressed by its campaign (the control group was not) or have used its feature since the launch.
told as (
    select solutions.solution_id, nodes.customer_id
    from solutions
    inner join {{ ref('int_crm__campaign_members') }} as members on solutions.campaign_id = members.campaign_id
    inner join nodes
        on nodes.domain = 'crm' and members.source_relation = nodes.source_relation and members.account_id = nodes.source_id
    where members.is_current and not coalesce(members.is_control, false) and {{ happened('members.targeted_at') }} is not null
    union
    select solutions.solution_id, nodes.customer_id
    from solutions
    inner join {{ ref('int_voice__feature_months') }} as usage
        on solutions.feature = usage.feature and usage.last_used_on >= solutions.launched_on
    inner join nodes
        on nodes.domain = 'product' and usage.source_relation = nodes.source_relation and usage.workspace_id = nodes.source_id
),

pairs as (
    select solution_id, customer_id from raised
    union
    select solution_id, customer_id from paid where mrr_before > 0
),

final as (
    select
        pairs.solution_id,
        pairs.customer_id,
        raised.customer_id is not null as has_raised,
        told.customer_id is not null as is_aware,
        cast(coalesce(paid.mrr_before, 0) as decimal(18,4)) as mrr_before,
        cast(coalesce(paid.mrr_after, 0) as decimal(18,4)) as mrr_after
    from pairs
    left join raised on pairs.solution_id = raised.solution_id and pairs.customer_id = raised.customer_id
    left join told on pairs.solution_id = told.solution_id and pairs.customer_id = told.customer_id
    left join paid on pairs.solution_id = paid.solution_id and pairs.customer_id = paid.customer_id
)

select * from final
