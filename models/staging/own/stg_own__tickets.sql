with landed as (
    {{ record_versions('own', 'tickets') }}
),

final as (
    select
        landed.ticket_id,
        landed.organization_id,
        {{ clean_code('landed.requester_email') }} as requester_email,
        {{ clean_text('landed.subject') }} as subject,
        {{ clean_code('landed.priority') }} as priority,
        {{ clean_code('landed.status') }} as status,
        {{ clean_code('landed.channel') }} as channel,
        {{ clean_text('landed.tags') }} as tags,
        landed.assignee_id,
        landed.created_at,
        landed.solved_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.deleted, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
