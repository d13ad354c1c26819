{%- set is_before = 'priority_changes.occurred_at < ' ~ dbt.dateadd('second', 1, 'milestones.reply_clock_stopped_at') -%}
with milestones as (
    select * from {{ ref('int_support_tickets__milestones') }}
),

tickets as (
    select * from {{ ref('int_support__tickets') }} where is_current
),

priority_changes as (
    select *
    from {{ ref('int_support__ticket_events') }}
    where is_current and kind = 'priority_change' and {{ happened('occurred_at') }} is not null
),

customers as (
    select * from {{ ref('int_support_tickets__customers') }} where is_current
),

tiers as (
    select * from {{ ref('int_health__tiers_as_seen') }}
),

targets as (
    select * from {{ ref('sla_targets') }}
),

-- The priority in force when the reply clock stopped: set by the last change before, undone by the first change after. Of changes in
-- one moment the one with the higher id is the later one (numbers as numbers).
priority_candidates as (
    select
        milestones.source_relation,
        milestones.ticket_id,
        case when {{ is_before }} then priority_changes.to_value else priority_changes.from_value end as priority,
        row_number() over (
            partition by milestones.source_relation, milestones.ticket_id
            order by
                {%- for column in ['occurred_at', 'length', 'event_id'] %}
                {%- set column = 'length(priority_changes.event_id)' if column == 'length' else 'priority_changes.' ~ column %}
                case when {{ is_before }} then {{ column }} end desc nulls last,
                {%- endfor %}
                priority_changes.occurred_at,
                length(priority_changes.event_id),
                priority_changes.event_id
        ) as place
    from milestones
    inner join priority_changes
        on milestones.source_relation = priority_changes.source_relation and milestones.ticket_id = priority_changes.ticket_id
),

dated as (
    select
        milestones.source_relation,
        milestones.ticket_id,
        customers.customer_id,
        {{ reporting_date('milestones.created_at') }} as created_on,
        -- a change from or to no priority says that there was none; only a ticket that never changed has always had today's
        lower(coalesce(
            case when priority_candidates.ticket_id is not null then priority_candidates.priority else tickets.priority end, 'normal'
        )) as sla_priority
    from milestones
    inner join tickets on milestones.source_relation = tickets.source_relation and milestones.ticket_id = tickets.ticket_id
    left join priority_candidates
        on
            milestones.source_relation = priority_candidates.source_relation
            and milestones.ticket_id = priority_candidates.ticket_id
            and priority_candidates.place = 1
    left join customers on tickets.source_relation = customers.source_relation and tickets.ticket_id = customers.ticket_id
),

-- Targets change over time: those count that held when the ticket was opened.
final as (
    select
        dated.source_relation,
        dated.ticket_id,
        dated.customer_id,
        tiers.tier as sla_tier,
        dated.sla_priority,
        targets.first_reply_minutes as first_reply_target_minutes,
        targets.resolution_minutes as resolution_target_minutes,
        row_number() over (partition by dated.source_relation, dated.ticket_id order by targets.valid_from desc nulls last) as place
    from dated
    left join tiers
        on
            dated.customer_id = tiers.customer_id
            and dated.created_on >= tiers.valid_from
            and (dated.created_on < tiers.valid_to or tiers.valid_to is null)
    left join targets
        on tiers.tier = targets.tier and dated.sla_priority = targets.priority and dated.created_on >= targets.valid_from
)

select
    source_relation,
    ticket_id,
    customer_id,
    sla_tier,
    sla_priority,
    first_reply_target_minutes,
    resolution_target_minutes
from final
where place = 1
