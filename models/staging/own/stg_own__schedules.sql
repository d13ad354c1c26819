with landed as (
    {{ record_versions('own', 'schedules') }}
),

final as (
    select
        landed.schedule_id,
        landed.time_zone,
        landed.weekday,
        landed.opens_at,
        landed.closes_at,
        coalesce(landed.valid_from, cast('1900-01-01' as date)) as valid_from,
        landed.valid_to,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
