with landed as (
    {{ record_versions('own', 'customers') }}
),

final as (
    select
        landed.customer_id,
        {{ clean_text('landed.account_id') }} as account_id,
        {{ clean_text('landed.name') }} as name,
        {{ clean_code('landed.email') }} as email,
        {{ clean_domain('landed.domain') }} as domain,
        {{ clean_text('landed.country') }} as country,
        upper({{ clean_text('landed.currency') }}) as currency,
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
