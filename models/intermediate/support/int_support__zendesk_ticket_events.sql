-- Comments and changes of Zendesk's tickets in the kinds of the contract; what is of no such kind (private notes, other fields) is not
-- here, nor is what a ticket was opened with: its first words are no reply, its first status no change. An escalation is the tag
-- `escalated` or `escalation` being set.
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
        role
    from {{ ref('stg_zendesk__users') }}
    where is_current and role is not null
),

acted as (
    select
        events.*,
        case coalesce(events.author_role, users.role)
            when 'end-user' then 'end_user'
            when 'agent' then 'agent'
            when 'admin' then 'agent'
            else case when coalesce(events.author_id, '-1') in ('-1', '0') then 'system' end
        end as actor_role
    from events
    left join users
        on events.source_relation = users.source_relation
            and events.author_id = users.user_id
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
