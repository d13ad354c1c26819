with landed as (
    {{ record_versions('own', 'activities') }}
),

final as (
    select
        landed.activity_id,
        {{ clean_text('landed.account_id') }} as account_id,
        landed.contact_id,
        {{ clean_code('landed.kind') }} as kind,
        landed.occurred_at,
        {{ clean_code('landed.direction') }} as direction,
        {{ clean_code('landed.owner_email') }} as owner_email,
        {{ clean_text('landed.stated_reason') }} as stated_reason,
        {{ clean_text('landed.root_cause') }} as root_cause,
        {{ clean_text('landed.note') }} as note,
        landed.source_relation,
        landed._load_date as landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
