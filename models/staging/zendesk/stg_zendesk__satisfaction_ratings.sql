with landed as (
    {{ record_versions('zendesk', 'satisfaction_ratings') }}
),

final as (
    select
        landed.id as rating_id,
        landed.ticket_id,
        landed.requester_id,
        landed.assignee_id,
        {{ clean_code('landed.score') }} as zendesk_score,
        {{ clean_text('landed.comment') }} as comment,
        {{ clean_text('landed.reason') }} as reason,
        landed.created_at as rated_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
