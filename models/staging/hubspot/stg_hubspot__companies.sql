with landed as (
    {{ record_versions('hubspot', 'companies') }}
),

final as (
    select
        landed.id as account_id,
        {{ clean_text('landed.name') }} as name,
        {{ clean_domain('landed.domain') }} as domain,
        {{ clean_text('landed.hs_parent_company_id') }} as parent_account_id,
        {{ clean_text('landed.industry') }} as industry,
        {{ clean_text('landed.country') }} as country,
        landed.numberofemployees as employees,
        landed.hubspot_owner_id as owner_id,
        cast(landed.annualrevenue as decimal(18,4)) as annual_revenue,
        cast(landed.acquisition_cost as decimal(18,4)) as acquisition_cost,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_code('landed.lifecyclestage') }} as hubspot_lifecycle_stage,
        landed.createdate as created_at,
        landed.hs_lastmodifieddate as updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
