-- A view, not a table: tens of millions of rows that only ever grow are not worth copying each day. Whoever reads it filters on
-- usage_date, which is part of the key, so the engine pushes the filter below the window functions and reads a few
-- days' row groups only. A corrected row restates its own day (updated_at = usage_date) within the restatement window.
{{ config(materialized='view') }}

with landed as (
    {{ record_versions('own', 'usage_daily', updated_at='usage_date') }}
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
