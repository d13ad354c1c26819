{{ config(materialized='view') }}
{% set columns = [
    'activity_id', 'account_id', 'contact_id', 'kind', 'occurred_at', 'direction', 'owner_email',
    'stated_reason', 'root_cause', 'note', 'landed_on',
] %}

with final as (
    {{ unify(['stg_own__activities', 'int_crm__hubspot_activities'], columns) }}
)

select * from final
