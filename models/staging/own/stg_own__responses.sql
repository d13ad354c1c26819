with landed as (
    {{ record_versions('own', 'responses') }}
),

final as (
    select
        landed.response_id,
        {{ clean_code('landed.kind') }} as kind,
        {{ clean_text('landed.account_id') }} as account_id,
        {{ clean_code('landed.email') }} as email,
        landed.score,
        {{ clean_text('landed.comment') }} as comment,
        {{ clean_text('landed.theme') }} as theme,
        landed.responded_at,
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
