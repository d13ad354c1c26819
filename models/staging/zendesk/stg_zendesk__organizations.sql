with landed as (
    {{ record_versions('zendesk', 'organizations') }}
),

final as (
    select
        landed.id as organization_id,
        {{ clean_text('landed.external_id') }} as account_id,
        {{ clean_text('landed.name') }} as name,
        {{ clean_domain("regexp_replace(landed.domain_names, '[,; ].*$', '')") }} as domain,
        landed.group_id,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or landed.deleted_at is not null as is_deleted,
        landed.is_late
    from landed
)

select * from final
