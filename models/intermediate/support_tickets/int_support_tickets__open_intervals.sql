-- When each ticket waited to be solved. Only a change between solved and unsolved begins or ends an interval, so the intervals of a
-- ticket take turns whatever its log leaves out: what was opened and reopened, less what was solved, is the backlog.
with milestones as (
    select * from {{ ref('int_support_tickets__milestones') }}
),

status_changes as (
    select *
    from {{ ref('int_support__ticket_events') }}
    where is_current and kind = 'status_change' and {{ happened('occurred_at') }} is not null
),

states as (
    select source_relation, ticket_id, created_at as changed_at, cast(null as string) as event_id, false as is_solved
    from milestones
    union all
    -- the ticket's own word where it has no log; solved at a time that nobody can say: never waiting
    select source_relation, ticket_id, coalesce(resolved_at, created_at), '', true
    from milestones
    where resolved_at is not null or data_flag in ('closed_before_opened', 'solved_without_time')
    union all
    select
        status_changes.source_relation,
        status_changes.ticket_id,
        date_trunc('second', status_changes.occurred_at),
        status_changes.event_id,
        coalesce(lower(status_changes.to_value) in ('solved', 'closed'), false)
    from status_changes
    inner join milestones
        on status_changes.source_relation = milestones.source_relation and status_changes.ticket_id = milestones.ticket_id
    where date_trunc('second', status_changes.occurred_at) >= milestones.created_at
),

compared as (
    select
        *,
        lag(is_solved) over (partition by source_relation, ticket_id order by changed_at, event_id nulls first) as was_solved
    from states
),

changes as (
    select
        *,
        lead(changed_at) over (partition by source_relation, ticket_id order by changed_at, event_id nulls first) as next_changed_at,
        row_number() over (partition by source_relation, ticket_id order by changed_at, event_id nulls first) as place
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
