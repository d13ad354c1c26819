{{ config(materialized='view') }}
{% set columns = [
    'contact_id', 'account_id', 'email', 'full_name', 'role', 'active', 'created_at', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__contacts', 'stg_hubspot__contacts'], columns) }}
)

select * from final
