with landed as (
    {{ record_versions('hubspot', 'owners') }}
),

final as (
    select
        landed.id as owner_id,
        {{ clean_code('landed.email') }} as owner_email,
        nullif(trim(concat(coalesce(landed.first_name, ''), ' ', coalesce(landed.last_name, ''))), '') as owner_name,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
