{{ config(materialized='view') }}
{% set columns = [
    'schedule_id', 'name', 'starts_on', 'ends_on',
] %}

with final as (
    {{ unify(['stg_own__holidays', 'stg_zendesk__holidays'], columns) }}
)

select * from final
