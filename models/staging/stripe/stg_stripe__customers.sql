with landed as (
    {{ record_versions('stripe', 'customers') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as customer_id,
        {{ clean_text('landed.metadata_account_id') }} as account_id,
        {{ clean_text('landed.name') }} as name,
        {{ clean_code('landed.email') }} as email,
        {{ clean_domain('landed.metadata_domain') }} as domain,
        {{ clean_text('landed.address_country') }} as country,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ from_minor_units('landed.balance') }} as balance,
        landed.delinquent as is_delinquent,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted or coalesce(landed.deleted, false) as is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
