with landed as (
    {{ record_versions('own', 'satisfaction') }}
),

final as (
    select
        landed.rating_id,
        landed.ticket_id,
        landed.score,
        {{ clean_text('landed.comment') }} as comment,
        landed.rated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
