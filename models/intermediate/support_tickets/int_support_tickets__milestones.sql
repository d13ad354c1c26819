{%- set by_time = 'partition by source_relation, ticket_id order by occurred_at, length(event_id), event_id' -%}
with tickets as (
    select *
    from {{ ref('int_support__tickets') }}
    where is_current and {{ happened('created_at') }} is not null
),

events as (
    select *
    from {{ ref('int_support__ticket_events') }}
    where is_current and {{ happened('occurred_at') }} is not null
),

sources_with_events as (
    select source_relation
    from events
    group by source_relation
),

statuses as (
    select
        source_relation,
        ticket_id,
        date_trunc('second', occurred_at) as occurred_at,
        lower(to_value) in ('solved', 'closed') as is_solved,
        coalesce(
            lower(from_value) in ('solved', 'closed'),
            lag(lower(to_value) in ('solved', 'closed')) over ({{ by_time }}),
            false
        ) as was_solved,
        lead(event_id) over ({{ by_time }}) is null as is_last
    from events
    where kind = 'status_change'
),

solves as (
    select
        source_relation,
        ticket_id,
        max(case when is_last and is_solved then 1 else 0 end) = 1 as is_solved,
        max(case when is_solved and not was_solved then occurred_at end) as last_solved_at,
        max(occurred_at) as last_changed_at,
        sum(case when was_solved and not is_solved then 1 else 0 end) as reopens
    from statuses
    group by source_relation, ticket_id
),

replies as (
    select
        source_relation,
        ticket_id,
        min(case when kind = 'public_agent_reply' then date_trunc('second', occurred_at) end) as first_replied_at,
        min(case when kind = 'escalation' then date_trunc('second', occurred_at) end) as first_escalated_at,
        sum(case when kind = 'public_agent_reply' then 1 else 0 end) as agent_replies,
        sum(case when kind = 'public_customer_reply' then 1 else 0 end) as customer_replies
    from events
    group by source_relation, ticket_id
),

-- The log of events is the better witness. Where it says nothing of the solve, because there is no log or it has a gap, the ticket
-- itself may: unless the log goes on after that moment with the ticket unsolved.
joined as (
    select
        tickets.source_relation,
        tickets.ticket_id,
        date_trunc('second', tickets.created_at) as created_at,
        tickets.status in ('solved', 'closed') as has_solved_status,
        replies.first_replied_at,
        case
            when solves.is_solved and solves.last_solved_at is not null then solves.last_solved_at
            when
                tickets.status in ('solved', 'closed')
                and (
                    solves.ticket_id is null
                    or solves.is_solved
                    or date_trunc('second', tickets.solved_at) >= solves.last_changed_at
                )
                then date_trunc('second', {{ happened('tickets.solved_at') }})
        end as resolved_at,
        case when sources_with_events.source_relation is not null then coalesce(solves.reopens, 0) end as reopens,
        case when sources_with_events.source_relation is not null then replies.first_escalated_at is not null end as is_escalated,
        replies.first_escalated_at,
        case when sources_with_events.source_relation is not null then coalesce(replies.agent_replies, 0) end as agent_replies,
        case when sources_with_events.source_relation is not null then coalesce(replies.customer_replies, 0) end as customer_replies
    from tickets
    left join solves on tickets.source_relation = solves.source_relation and tickets.ticket_id = solves.ticket_id
    left join replies on tickets.source_relation = replies.source_relation and tickets.ticket_id = replies.ticket_id
    left join sources_with_events on tickets.source_relation = sources_with_events.source_relation
),

-- A clock that would run backwards is not measured: NULL and the reason.
checked as (
    select
        source_relation,
        ticket_id,
        created_at,
        case when first_replied_at >= created_at then first_replied_at end as first_replied_at,
        case when resolved_at >= created_at then resolved_at end as resolved_at,
        reopens,
        is_escalated,
        first_escalated_at,
        agent_replies,
        customer_replies,
        case
            when resolved_at < created_at then 'closed_before_opened'
            when has_solved_status and resolved_at is null then 'solved_without_time'
            when first_replied_at < created_at then 'replied_before_opened'
        end as data_flag
    from joined
),

final as (
    select
        *,
        coalesce(first_replied_at, resolved_at, {{ as_of_end() }}) as reply_clock_stopped_at,
        coalesce(resolved_at, {{ as_of_end() }}) as resolution_clock_stopped_at
    from checked
)

select * from final
