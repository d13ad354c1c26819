{%- set by_time = 'partition by source_relation, ticket_id order by changed_at, place_in_second, occurred_at, length(event_id), event_id' -%}
-- When each ticket waited to be solved. Only a change between solved and unsolved begins or ends an interval, so the intervals of a
-- ticket take turns whatever its log leaves out: what was opened and reopened, less what was solved, is the backlog.
with milestones as (
    select
        *,
        coalesce(data_flag in ('closed_before_opened', 'solved_without_time'), false) as is_timeless
    from {{ ref('int_support_tickets__milestones') }}
),

status_changes as (
    select *
    from {{ ref('int_support__ticket_events') }}
    where is_current and kind = 'status_change' and {{ happened('occurred_at') }} is not null
),

-- Times are whole seconds; within one second a ticket is opened, then goes through its log, then is what it says itself.
states as (
    select
        source_relation,
        ticket_id,
        created_at as changed_at,
        1 as place_in_second,
        cast(null as timestamp) as occurred_at,
        cast(null as string) as event_id,
        false as is_solved
    from milestones
    union all
    -- the ticket's own word where its log has no solve; solved at a time that nobody can say: never waiting
    select source_relation, ticket_id, coalesce(resolved_at, created_at), 3, null, null, true
    from milestones
    where resolved_at is not null or is_timeless
    union all
    select
        status_changes.source_relation,
        status_changes.ticket_id,
        date_trunc('second', status_changes.occurred_at),
        2,
        status_changes.occurred_at,
        status_changes.event_id,
        coalesce(lower(status_changes.to_value) in ('solved', 'closed'), false)
    from status_changes
    inner join milestones
        on status_changes.source_relation = milestones.source_relation and status_changes.ticket_id = milestones.ticket_id
    where date_trunc('second', status_changes.occurred_at) >= milestones.created_at and not milestones.is_timeless
),

compared as (
    select
        *,
        lag(is_solved) over ({{ by_time }}) as was_solved
    from states
),

changes as (
    select
        *,
        lead(changed_at) over ({{ by_time }}) as next_changed_at,
        row_number() over ({{ by_time }}) as place
    from compared
    where is_solved is distinct from was_solved
),

final as (
    select
        source_relation,
        ticket_id,
        cast((place + 1) / 2 as bigint) as interval_number,
        changed_at as opened_at,
        next_changed_at as solved_at
    from changes
    where not is_solved
)

select * from final
