with landed as (
    {{ record_versions('zendesk', 'tickets') }}
),

final as (
    select
        landed.id as ticket_id,
        {{ clean_text('landed.organization_id') }} as organization_id,
        landed.requester_id,
        landed.assignee_id,
        landed.group_id,
        {{ clean_text('landed.subject') }} as subject,
        {{ clean_code('landed.type') }} as ticket_type,
        {{ clean_code('landed.priority') }} as priority,
        {{ clean_code('landed.status') }} as status,
        {{ clean_code('landed.channel') }} as channel,
        {{ clean_code('landed.tags') }} as tags,
        landed.created_at,
        landed.solved_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.status, '') = 'deleted' as is_deleted,
        landed.is_late
    from landed
)

select * from final
