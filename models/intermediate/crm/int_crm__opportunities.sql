{{ config(materialized='view') }}
{% set columns = [
    'opportunity_id', 'account_id', 'kind', 'stage', 'amount', 'currency', 'created_at', 'closed_at',
    'is_won', 'loss_reason', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__opportunities', 'stg_hubspot__deals'], columns) }}
)

select * from final
