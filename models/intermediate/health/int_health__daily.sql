-- depends_on: {{ ref('int_identities__customers') }}
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}{{ forget_health_days(this, 91, incoming=ref('int_health__points')) }}{% endif %}",
    post_hook="{{ remember_identities(this) }}"
) }}
{%- set components = health_components() -%}
{%- set pairs = [] -%}
{%- for component in components %}{% do pairs.append([component ~ '_points', component ~ '_weight']) %}{% endfor -%}
with points as (
    select * from {{ ref('int_health__points') }}
),

weights as (
    select * from {{ ref('int_health__weights') }}
),

rules as (
    select cast(value as double) as min_coverage from {{ ref('health_rules') }} where rule = 'min_coverage'
),

weighted as (
    select
        points.*,
        weights.definition_version,
        {%- for component in components %}
        weights.{{ component }}_weight,
        {%- endfor %}
        ({% for component in components %}weights.{{ component }}_weight{{ ' + ' if not loop.last }}{% endfor %}) as all_weights,
        (
            {%- for component in components %}
            case when points.{{ component }}_points is null then 0 else weights.{{ component }}_weight end{{ ' +' if not loop.last }}
            {%- endfor %}
        ) as present_weights
    from points
    inner join weights
        on
            points.tier = weights.tier
            and points.as_of_date >= weights.valid_from
            and (points.as_of_date < weights.valid_to or weights.valid_to is null)
),

final as (
    select
        weighted.*,
        {{ to_money('cast(weighted.present_weights as double) / nullif(weighted.all_weights, 0)') }} as coverage,
        case
            when cast(weighted.present_weights as double) / nullif(weighted.all_weights, 0) >= rules.min_coverage
                then {{ weighted_mean(pairs) }}
        end as score_points
    from weighted
    cross join rules
)

select * from final
