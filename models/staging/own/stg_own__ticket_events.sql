with landed as (
    {{ record_versions('own', 'ticket_events') }}
),

final as (
    select
        landed.event_id,
        landed.ticket_id,
        landed.occurred_at,
        {{ clean_code('landed.kind') }} as kind,
        {{ clean_code('landed.actor_role') }} as actor_role,
        landed.from_value,
        landed.to_value,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
