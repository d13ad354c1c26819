with landed as (
    {{ record_versions('zendesk', 'holidays') }}
),

final as (
    select
        landed.schedule_id,
        landed.id as holiday_id,
        {{ clean_text('landed.name') }} as name,
        landed.start_date as starts_on,
        landed.end_date as ends_on,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
