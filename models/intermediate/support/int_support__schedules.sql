{{ config(materialized='view') }}
{% set columns = [
    'schedule_id', 'time_zone', 'weekday', 'opens_at', 'closes_at', 'valid_from', 'valid_to',
] %}

with final as (
    {{ unify(['stg_own__schedules', 'int_support__zendesk_schedules'], columns) }}
)

select * from final
