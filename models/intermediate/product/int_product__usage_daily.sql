-- A view: filter on usage_date, and only the row groups of those days are read. Aggregates that are worth keeping are
-- incremental tables of their own.
{{ config(materialized='view') }}
{% set columns = [
    'usage_date', 'workspace_id', 'user_id', 'feature', 'events', 'minutes',
] %}

with final as (
    {{ unify(['stg_own__usage_daily'], columns) }}
)

select * from final
