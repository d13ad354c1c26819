with landed as (
    {{ record_versions('own', 'workspaces') }}
),

final as (
    select
        landed.workspace_id,
        {{ clean_text('landed.account_id') }} as account_id,
        {{ clean_text('landed.name') }} as name,
        {{ clean_domain('landed.domain') }} as domain,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
