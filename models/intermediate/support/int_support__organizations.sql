{{ config(materialized='view') }}
{% set columns = [
    'organization_id', 'account_id', 'name', 'domain', 'created_at', 'updated_at', 'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__organizations', 'stg_zendesk__organizations'], columns) }}
)

select * from final
