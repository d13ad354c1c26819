with landed as (
    {{ record_versions('zendesk', 'users') }}
),

final as (
    select
        landed.id as user_id,
        {{ clean_text('landed.name') }} as full_name,
        {{ clean_code('landed.email') }} as email,
        {{ clean_code('landed.role') }} as role,
        {{ clean_text('landed.organization_id') }} as organization_id,
        {{ clean_text('landed.time_zone') }} as time_zone,
        coalesce(landed.suspended, false) as is_suspended,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or not coalesce(landed.active, true) as is_deleted,
        landed.is_late
    from landed
)

select * from final
