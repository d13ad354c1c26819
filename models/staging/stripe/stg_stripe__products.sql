with landed as (
    {{ record_versions('stripe', 'products') }}
),

final as (
    select
        landed.id as product_id,
        {{ clean_text('landed.name') }} as product_name,
        {{ clean_text('landed.description') }} as description,
        landed.active as is_active,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.deleted, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
