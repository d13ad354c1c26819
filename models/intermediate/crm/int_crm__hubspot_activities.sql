-- Meetings, calls, logged e-mails and finished tasks as touches, in the columns of the contract. A touch that did not come about
-- (a no-show, a call nobody answered, a bounce) is none. The kind is what the portal calls the activity, else what HubSpot's object is.
{% set touches = {
    'meeting': ['stg_hubspot__meetings', 'check_in', "coalesce(outcome, 'completed') in ('completed', 'scheduled')"],
    'call': ['stg_hubspot__calls', 'call', "coalesce(outcome, 'completed') = 'completed'"],
    'email': ['stg_hubspot__emails', 'email', "coalesce(outcome, 'sent') = 'sent'"],
    'task': ['stg_hubspot__tasks', "task", "outcome = 'completed' and (activity_type is not null or task_type in ('call', 'email'))"],
} %}

with touches as (
    {%- for object, (staging_model, default_kind, took_place) in touches.items() %}
    select
        '{{ object }}-' || touch_id as activity_id,
        account_id,
        contact_id,
        replace(replace(activity_type, '-', '_'), ' ', '_') as activity_type,
        {{ 'task_type' if object == 'task' else "'" ~ default_kind ~ "'" }} as default_kind,
        {{ 'coalesce(completed_at, due_at)' if object == 'task' else 'occurred_at' }} as occurred_at,
        {{ 'direction' if object in ('call', 'email') else 'cast(null as string)' }} as direction,
        owner_id,
        stated_reason,
        root_cause,
        {{ 'title' if object == 'email' else 'coalesce(note, title)' }} as note,
        source_relation,
        landed_on,
        known_from,
        known_until,
        is_current,
        is_deleted or not coalesce({{ took_place }}, false) as is_deleted
    from {{ ref(staging_model) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- Whose address stands behind an owner id does not change with the record, so the newest is right for all of its past.
owners as (
    select
        source_relation,
        owner_id,
        owner_email
    from {{ ref('stg_hubspot__owners') }}
    where is_current and owner_email is not null
),

final as (
    select
        touches.activity_id,
        touches.account_id,
        touches.contact_id,
        case
            when touches.activity_type in (
                'kickoff', 'training', 'check_in', 'business_review', 'executive_review', 'call', 'email', 'interview', 'exit_interview'
            ) then touches.activity_type
            when touches.activity_type in ('kick_off', 'kick_off_meeting') then 'kickoff'
            when touches.activity_type in ('qbr', 'quarterly_business_review') then 'business_review'
            when touches.activity_type in ('ebr', 'executive_business_review') then 'executive_review'
            else touches.default_kind
        end as kind,
        touches.occurred_at,
        touches.direction,
        owners.owner_email,
        touches.stated_reason,
        touches.root_cause,
        touches.note,
        touches.source_relation,
        touches.landed_on,
        touches.known_from,
        touches.known_until,
        touches.is_current,
        touches.is_deleted
    from touches
    left join owners
        on touches.source_relation = owners.source_relation
            and touches.owner_id = owners.owner_id
)

select * from final
