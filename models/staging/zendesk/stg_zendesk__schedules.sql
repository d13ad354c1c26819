with landed as (
    {{ record_versions('zendesk', 'schedules') }}
),

final as (
    select
        landed.id as schedule_id,
        {{ clean_text('landed.name') }} as schedule_name,
        landed.iana_time_zone as time_zone,
        landed.weekday,
        landed.start_time as opens_at,
        landed.end_time as closes_at,
        landed.created_at,
        landed.updated_at,
        landed.first_landed_on,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
