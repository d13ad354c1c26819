-- Comments and changes of Zendesk's tickets in the kinds of the contract; what is of no such kind (private notes, other fields) is not
-- here, nor is what a ticket was opened with: its first words are no reply, its first status no change. An escalation is the tag
-- `escalated` or `escalation` being set. Zendesk tells only the role that people have today, and who leaves the desk becomes an end user:
-- whoever once was of it writes as an agent.
with events as (
    select
        *,
        max(case when event_type = 'create' then 1 else 0 end) over (
            partition by source_relation, coalesce(audit_id, event_id)
        ) = 1 as is_opening
    from {{ ref('stg_zendesk__ticket_events') }}
),

users as (
    select
        source_relation,
        user_id,
        role,
        is_current
    from {{ ref('stg_zendesk__users') }}
    where role is not null
),

-- Only the desk's own people have tickets assigned to them, or write notes in the browser (what a customer mails may be kept private).
agents as (
    select source_relation, author_id as user_id from events
    where author_role in ('agent', 'admin') or (event_type = 'comment' and not is_public and channel in ('web', 'web form'))
    union
    select source_relation, user_id from users
    where role in ('agent', 'admin')
    union
    select source_relation, assignee_id as user_id from {{ ref('stg_zendesk__tickets') }}
    union
    select source_relation, to_value as user_id from events
    where field_name = 'assignee_id'
    union
    select source_relation, from_value as user_id from events
    where field_name = 'assignee_id'
),

acted as (
    select
        events.*,
        case
            when coalesce(events.author_id, '-1') in ('-1', '0') then 'system'
            when agents.user_id is not null then 'agent'
            when coalesce(events.author_role, users.role) = 'end-user' then 'end_user'
        end as actor_role
    from events
    left join users
        on events.source_relation = users.source_relation
            and events.author_id = users.user_id
            and users.is_current
    left join agents
        on events.source_relation = agents.source_relation
            and events.author_id = agents.user_id
),

typed as (
    select
        acted.*,
        case
            when event_type = 'comment' and is_public and actor_role = 'agent' then 'public_agent_reply'
            when event_type = 'comment' and is_public and actor_role = 'end_user' then 'public_customer_reply'
            when event_type = 'comment' then null
            when field_name = 'status' then 'status_change'
            when field_name = 'priority' then 'priority_change'
            when field_name in ('assignee_id', 'group_id') then 'assignment'
            when concat(',', replace(added_tags, ' ', ','), ',') like '%,escalat%' then 'escalation'
        end as kind
    from acted
),

final as (
    select
        event_id,
        ticket_id,
        occurred_at,
        kind,
        actor_role,
        case when kind <> 'escalation' then from_value end as from_value,
        case when kind = 'escalation' then 'escalated' else to_value end as to_value,
        source_relation,
        known_from,
        known_until,
        is_current,
        is_deleted
    from typed
    where kind is not null and not is_opening
)

select * from final
