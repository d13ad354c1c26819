with landed as (
    {{ record_versions('hubspot', 'deals') }}
),

final as (
    select
        landed.id as opportunity_id,
        {{ clean_text('landed.company_id') }} as account_id,
        case {{ clean_code('landed.dealtype') }}
            when 'newbusiness' then 'new'
            when 'existingbusiness' then 'expansion'
            else {{ clean_code('landed.dealtype') }}
        end as kind,
        {{ clean_code('landed.pipeline') }} as pipeline,
        {{ clean_code('landed.dealstage') }} as stage,
        cast(landed.amount as decimal(18,4)) as amount,
        upper({{ clean_text('landed.deal_currency_code') }}) as currency,
        landed.createdate as created_at,
        case when landed.hs_is_closed then landed.closedate end as closed_at,
        case when landed.hs_is_closed then coalesce(landed.hs_is_closed_won, false) end as is_won,
        {{ clean_text('landed.closed_lost_reason') }} as loss_reason,
        landed.hubspot_owner_id as owner_id,
        landed.hs_lastmodifieddate as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
