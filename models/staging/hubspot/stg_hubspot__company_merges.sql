with landed as (
    {{ record_versions('hubspot', 'company_merges') }}
),

final as (
    select
        landed.merged_id as account_id,
        landed.into_id as merged_into_account_id,
        landed.hs_lastmodifieddate as updated_at,
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
