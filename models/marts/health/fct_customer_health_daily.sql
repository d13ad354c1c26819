-- depends_on: {{ ref('int_identities__customers') }}
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}{{ forget_health_days(this, also=customers_with_changed_overrides(this)) }}{% endif %}",
    post_hook="{{ remember_identities(this) }}"
) }}
{%- set components = health_components() %}
{%- set compared_with = {'week_before': 7, 'before': 28, 'quarter_before': 90} %}
with today as (
    {{ health_days_to_publish() }}
),

{%- for name, days_ago in compared_with.items() %}
{{ name }} as (
    {{ health_days_before(days_ago) }}
),
{% endfor %}
bands as (
    select
        band,
        cast(min_score * 100 as bigint) as from_points,
        lead(cast(min_score * 100 as bigint)) over (order by min_score) as to_points
    from {{ ref('health_bands') }}
),

rules as (
    select
        max(case when rule = 'dormant_after_days' then cast(value as bigint) end) as dormant_after_days,
        max(case when rule = 'churn_likely_below' then value end) as churn_likely_below,
        max(case when rule = 'churn_likely_fall' then value end) as churn_likely_fall,
        max(case when rule = 'at_risk_fall' then value end) as at_risk_fall,
        max(case when rule = 'grow_seat_use' then value end) as grow_seat_use
    from {{ ref('health_rules') }}
),

-- The change over 28 days in three: today's weights on the components of then (configuration); what the customer did, seen in the components
-- that have the same measures on both days (behaviour); and what came from components and measures that came or went (data).
compared as (
    select
        today.*,
        today.score_points - week_before.score_points as change_7d_points,
        today.score_points - before.score_points as change_28d_points,
        today.score_points - quarter_before.score_points as change_90d_points,
        before.score_points as before_points,
        {{ mean_of_components('before.component_points') }} as reweighted_points,
        {{ behaviour_points() }} as behaviour_points
    from today
    {%- for name, days_ago in compared_with.items() %}
    left join {{ name }} on today.customer_id = {{ name }}.customer_id and {{ name }}.as_of_date = today.as_of_date - {{ days_ago }}
    {%- endfor %}
),

banded as (
    select
        compared.*,
        case when change_28d_points is not null then coalesce(reweighted_points, before_points) - before_points end as configuration_points,
        bands.band,
        {%- for column, said in health_override_columns().items() %}
        {{ said }} as {{ column }},
        {%- endfor %}
        rules.*
    from compared
    left join bands
        on compared.score_points >= bands.from_points and (compared.score_points < bands.to_points or bands.to_points is null)
    left join {{ ref('int_health__overrides') }} as overrides
        on
            compared.customer_id = overrides.customer_id
            and compared.as_of_date >= overrides.set_on
            and compared.as_of_date < overrides.expires_on
    cross join rules
),

final as (
    select
        cast(customer_id as string) as customer_id,
        as_of_date,
        cast(score_points * 0.01 as decimal(18,4)) as health_score,
        cast(band as string) as health_band,
        cast(case when score_points is not null then least(10, floor(score_points / 1000) + 1) end as int) as health_score_10,
        cast(coverage as decimal(18,4)) as coverage,
        cast(case
            when is_product_observed and paying_days >= dormant_after_days
                and (last_used_on is null or last_used_on <= as_of_date - cast(dormant_after_days as int)) then 'dormant'
            when score_points is null then null
            when score_points < churn_likely_below * 100 or (band = 'red' and behaviour_points <= -churn_likely_fall * 100)
                then 'churn_likely'
            when band = 'red' or behaviour_points <= -at_risk_fall * 100 then 'at_risk'
            when band = 'green' and seat_use >= grow_seat_use then 'grow'
            else 'renew'
        end as string) as outlook,
        cast(change_7d_points * 0.01 as decimal(18,4)) as change_7d,
        cast(change_28d_points * 0.01 as decimal(18,4)) as change_28d,
        cast(change_90d_points * 0.01 as decimal(18,4)) as change_90d,
        cast(behaviour_points * 0.01 as decimal(18,4)) as change_from_behaviour,
        cast((change_28d_points - behaviour_points - configuration_points) * 0.01 as decimal(18,4)) as change_from_data,
        cast(configuration_points * 0.01 as decimal(18,4)) as change_from_configuration,
        cast(case when score_points is null then concat(
            'no data for ', substr(concat(''
            {%- for component in components %},
            case when {{ component }}_points is null and {{ component }}_weight > 0 then ', {{ component }}' else '' end
            {%- endfor %}
            ), 3)
        ) end as string) as unscored_because,
        {%- for column in health_override_columns() %}
        cast({{ column }} as {{ 'date' if column.endswith('_on') else 'string' }}) as {{ column }},
        {%- endfor %}
        cast(tier as string) as tier,
        cast(definition_version as string) as definition_version,
        cast('{{ var("run_id") }}' as string) as run_id
    from banded
)

select * from final
