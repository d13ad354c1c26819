-- depends_on: {{ ref('int_identities__customers') }}
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}{{ forget_health_days(this) }}{% endif %}",
    post_hook="{{ remember_identities(this) }}"
) }}
{%- set components = health_components() %}
with today as (
    {{ health_days_to_publish() }}
),

before as (
    {{ health_days_before(28) }}
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
        {%- for day in ['today', 'before'] %}
        {%- for part in ['points', 'weight', 'measures'] %}
        case components.component
            {%- for component in components %}
            when '{{ component }}' then {{ day }}.{{ component }}_{{ part }}
            {%- endfor %}
        end as {{ part }}_{{ day }},
        {%- endfor %}
        case when {{ day }}.score_points is not null then cast({{ day }}.present_weights as double) end as weights_{{ day }},
        {%- endfor %}
        today.definition_version
    from today
    cross join components
    left join before on today.customer_id = before.customer_id and before.as_of_date = today.as_of_date - 28
),

-- What a component adds to the score, what it keeps from it, and what it added 28 days before. Weights of nothing divide nothing.
shares as (
    select
        *,
        {{ to_money('points_today * weight_today / nullif(weights_today * 100, 0)') }} as contribution,
        {{ to_money('(10000 - points_today) * weight_today / nullif(weights_today * 100, 0)') }} as lost,
        {{ to_money('points_before * weight_before / nullif(weights_before * 100, 0)') }} as contribution_before
    from long
),

final as (
    select
        cast(customer_id as string) as customer_id,
        as_of_date,
        cast(component as string) as component,
        cast(points_today * 0.01 as decimal(18,4)) as component_score,
        cast(weight_today as decimal(18,4)) as weight,
        points_today is null as is_missing,
        contribution as score_contribution,
        lost as score_lost,
        cast(case
            when weights_today is not null and weights_before is not null then coalesce(contribution, 0) - coalesce(contribution_before, 0)
        end as decimal(18,4)) as change_28d,
        measures_today = measures_before as has_same_measures,
        cast(definition_version as string) as definition_version,
        cast('{{ var("run_id") }}' as string) as run_id
    from shares
)

select * from final
