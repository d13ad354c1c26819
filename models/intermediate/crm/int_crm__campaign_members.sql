{{ config(materialized='view') }}
{% set columns = [
    'campaign_id', 'campaign_name', 'kind', 'account_id', 'targeted_at', 'responded_at', 'cost', 'currency',
    'is_control',
] %}

with final as (
    {{ unify(['stg_own__campaign_members', 'stg_hubspot__campaign_members'], columns) }}
)

select * from final
