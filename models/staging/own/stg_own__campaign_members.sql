with landed as (
    {{ record_versions('own', 'campaign_members') }}
),

final as (
    select
        landed.campaign_id,
        {{ clean_text('landed.campaign_name') }} as campaign_name,
        {{ clean_code('landed.kind') }} as kind,
        trim(landed.account_id) as account_id,
        landed.targeted_at,
        landed.responded_at,
        cast(landed.cost as decimal(18,4)) as cost,
        upper({{ clean_text('landed.currency') }}) as currency,
        coalesce(landed.is_control, false) as is_control,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
