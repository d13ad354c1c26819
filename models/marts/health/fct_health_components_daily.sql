-- depends_on: {{ ref('int_identities__customers') }}
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}{{ forget_health_days(this) }}{% endif %}"
) }}
{%- set components = health_components() %}
with days as (
    select * from {{ ref('int_health__daily') }}
),

today as (
    select days.*
    from days
    {%- if is_incremental() %}
    left join (select customer_id from {{ this }} group by customer_id) as kept on days.customer_id = kept.customer_id
    where (days.as_of_date between {{ start_date() }} and {{ end_date() }} or kept.customer_id is null)
        and days.as_of_date > {{ as_of_date() }} - {{ var('health_history_days', 1100) }}
    {%- else %}
    where days.as_of_date > {{ as_of_date() }} - {{ var('health_history_days', 1100) }}
    {%- endif %}
),

components as (
    {%- for component in components %}
    select '{{ component }}' as component{{ ' union all' if not loop.last }}
    {%- endfor %}
),

long as (
    select
        today.customer_id,
        today.as_of_date,
        components.component,
        {%- for part in ['points', 'weight'] %}
        case components.component
            {%- for component in components %}
            when '{{ component }}' then today.{{ component }}_{{ part }}
            {%- endfor %}
        end as {{ part }},
        {%- endfor %}
        today.present_weights,
        today.score_points,
        today.definition_version,
        today.identity_fingerprint
    from today
    cross join components
),

final as (
    select
        cast(customer_id as string) as customer_id,
        as_of_date,
        cast(component as string) as component,
        cast(points * 0.01 as decimal(18,4)) as component_score,
        cast(weight as decimal(18,4)) as weight,
        points is null as is_missing,
        case
            when score_points is not null and points is not null
                then {{ to_money('cast(points * weight as double) / nullif(present_weights * 100, 0)') }}
        end as score_contribution,
        cast(definition_version as string) as definition_version,
        cast(identity_fingerprint as string) as identity_fingerprint,
        cast('{{ var("run_id") }}' as string) as run_id
    from long
)

select * from final
