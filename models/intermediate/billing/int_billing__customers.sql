{{ config(materialized='view') }}

with final as (
    select
        customer_id,
        account_id,
        name,
        email,
        domain,
        country,
        currency,
        created_at,
        updated_at,
        source_relation,
        known_from,
        known_until,
        is_current
    from {{ ref('int_billing__customer_records') }}
    where not is_deleted
)

select * from final
