{{ config(materialized='view') }}
{% set columns = [
    'workspace_id', 'account_id', 'name', 'domain', 'created_at', 'updated_at', 'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__workspaces'], columns) }}
)

select * from final
