with landed as (
    {{ record_versions('hubspot', 'contacts') }}
),

final as (
    select
        landed.id as contact_id,
        {{ clean_text('landed.company_id') }} as account_id,
        {{ clean_code('landed.email') }} as email,
        nullif(trim(concat(coalesce(landed.firstname, ''), ' ', coalesce(landed.lastname, ''))), '') as full_name,
        case
            when {{ clean_code('landed.role') }} is not null then {{ clean_code('landed.role') }}
            when lower(landed.hs_buying_role) like '%executive_sponsor%' then 'executive_sponsor'
            when lower(landed.hs_buying_role) like '%champion%' then 'champion'
            when lower(landed.hs_buying_role) like '%budget_holder%' then 'billing'
            when lower(landed.hs_buying_role) like '%end_user%' then 'user'
        end as role,
        {{ clean_text('landed.jobtitle') }} as job_title,
        coalesce(landed.active, true) as active,
        landed.hubspot_owner_id as owner_id,
        landed.createdate as created_at,
        landed.lastmodifieddate as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
