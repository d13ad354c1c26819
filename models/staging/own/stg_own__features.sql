with landed as (
    {{ record_versions('own', 'features') }}
),

final as (
    select
        landed.feature,
        coalesce(landed.is_core, false) as is_core,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
