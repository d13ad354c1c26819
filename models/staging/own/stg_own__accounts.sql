with landed as (
    {{ record_versions('own', 'accounts') }}
),

final as (
    select
        trim(landed.account_id) as account_id,  -- as all tables that name it
        {{ clean_text('landed.name') }} as name,
        {{ clean_domain('landed.domain') }} as domain,
        {{ clean_text('landed.parent_account_id') }} as parent_account_id,
        {{ clean_text('landed.industry') }} as industry,
        {{ clean_text('landed.country') }} as country,
        landed.employees,
        {{ clean_code('landed.owner_email') }} as owner_email,
        cast(landed.acquisition_cost as decimal(18,4)) as acquisition_cost,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_text('landed.merged_into_account_id') }} as merged_into_account_id,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.deleted, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
