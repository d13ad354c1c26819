{{ config(materialized='view') }}
{% set columns = [
    'account_id', 'name', 'domain', 'parent_account_id', 'industry', 'country', 'employees', 'owner_email',
    'acquisition_cost', 'currency', 'merged_into_account_id', 'created_at', 'updated_at',
    'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__accounts', 'int_crm__hubspot_accounts'], columns) }}
)

select * from final
