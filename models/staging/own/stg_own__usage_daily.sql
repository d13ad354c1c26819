-- Tens of millions of rows that hardly ever change: only the days that the window's loads touch are read and written again.
-- usage_date is part of the key, so all versions of a record stand or go together. A corrected row restates its own day
-- (updated_at = usage_date) within the restatement window.
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where {{ touched_by_window('own', 'usage_daily', 'usage_date') }}{% endif %}"
) }}
{%- set touched = touched_by_window('own', 'usage_daily', 'usage_date') if is_incremental() else none %}

with landed as (
    {{ record_versions('own', 'usage_daily', updated_at='usage_date', only=touched) }}
),

final as (
    select
        landed.usage_date,
        landed.workspace_id,
        landed.user_id,
        landed.feature,
        landed.events,
        landed.minutes,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
