-- Tens of millions of rows of use become a row per workspace, feature and month. Only the months in which the window's loads changed
-- anything are read and written again: what was known before the window was counted by earlier runs.
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where month in ({{ touched_usage_months() }}){% endif %}"
) }}
with usage as (
    select
        *,
        cast(date_trunc('month', usage_date) as date) as month
    from {{ ref('int_product__usage_daily') }}
    where is_current and events > 0 and usage_date <= {{ as_of_date() }}
),

final as (
    select
        source_relation,
        workspace_id,
        feature,
        month,
        cast(count(distinct usage_date) as bigint) as days_used,
        cast(sum(events) as bigint) as events,
        min(usage_date) as first_used_on,
        max(usage_date) as last_used_on
    from usage
    {%- if is_incremental() %}
    where month in ({{ touched_usage_months() }})
    {%- endif %}
    group by source_relation, workspace_id, feature, month
)

select * from final
