with landed as (
    {{ record_versions('own', 'holidays') }}
),

final as (
    select
        landed.schedule_id,
        {{ clean_text('landed.name') }} as name,
        landed.starts_on,
        landed.ends_on,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
