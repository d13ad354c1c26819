{{ config(materialized='view') }}
{% set columns = [
    'feature', 'is_core',
] %}

with final as (
    {{ unify(['stg_own__features'], columns) }}
)

select * from final
