with landed as (
    {{ record_versions('zendesk', 'ticket_events') }}
),

final as (
    select
        landed.id as event_id,
        landed.audit_id,
        landed.ticket_id,
        landed.created_at as occurred_at,
        {{ clean_code('landed.event_type') }} as event_type,
        {{ clean_code('landed.field_name') }} as field_name,
        {{ clean_text('landed.previous_value') }} as from_value,
        {{ clean_text('landed.value') }} as to_value,
        coalesce(landed.public, false) as is_public,
        landed.author_id,
        {{ clean_code('landed.author_role') }} as author_role,
        {{ clean_code('landed.added_tags') }} as added_tags,
        {{ clean_code('landed.removed_tags') }} as removed_tags,
        {{ clean_code('landed.channel') }} as channel,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
