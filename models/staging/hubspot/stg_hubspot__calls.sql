with landed as (
    {{ record_versions('hubspot', 'calls') }}
),

final as (
    select
        landed.id as touch_id,
        landed.hs_timestamp as occurred_at,
        {{ clean_code('landed.hs_call_direction') }} as direction,
        {{ clean_code('landed.hs_call_status') }} as outcome,
        {{ clean_text('landed.hs_call_disposition') }} as disposition,
        cast(landed.hs_call_duration as double) / 1000 as duration_seconds,
        {{ clean_text('landed.hs_call_title') }} as title,
        {{ clean_text('landed.hs_call_body') }} as note,
        {{ clean_code('landed.hs_activity_type') }} as activity_type,
        {{ clean_text('landed.stated_reason') }} as stated_reason,
        {{ clean_text('landed.root_cause') }} as root_cause,
        {{ clean_text('landed.company_id') }} as account_id,
        landed.contact_id,
        landed.hubspot_owner_id as owner_id,
        landed.hs_createdate as created_at,
        landed.hs_lastmodifieddate as updated_at,
        landed.source_relation,
        landed._load_date as landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.archived, false) as is_deleted,
        landed.is_late
    from landed
)

select * from final
