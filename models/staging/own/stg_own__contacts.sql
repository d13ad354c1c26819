with landed as (
    {{ record_versions('own', 'contacts') }}
),

final as (
    select
        landed.contact_id,
        {{ clean_text('landed.account_id') }} as account_id,
        {{ clean_code('landed.email') }} as email,
        {{ clean_text('landed.full_name') }} as full_name,
        {{ clean_code('landed.role') }} as role,
        coalesce(landed.active, true) as active,
        landed.created_at,
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
