-- Reasons that can be read off the daily health, with the day on which the present episode began: the first of the unbroken row of
-- days on which the reason held, up to today.
{%- set reasons = ['health_fell', 'use_fell', 'sponsor_gone'] %}
with days as (
    select * from {{ ref('int_health__daily') }} where as_of_date <= {{ as_of_date() }}
),

rules as (
    select
        {%- for rule in ['health_fell_points', 'use_fell_ratio'] %}
        max(case when rule = '{{ rule }}' then value end) as {{ rule }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('worklist_rules') }}
),

bands as (
    select min_score * 100 as yellow_points from {{ ref('health_bands') }} where band = 'yellow'
),

{#- Which reasons hold on the days of _now, each compared with the day 28 days before it in _before. -#}
{%- set judge %}
    select
        days.customer_id,
        days.as_of_date,
        days.score_points,
        days.score_points - before.score_points as change_points,
        days.use_trend,
        coalesce(
            days.score_points < bands.yellow_points or days.score_points - before.score_points <= -100 * rules.health_fell_points, false
        ) as health_fell,
        coalesce(days.use_trend <= rules.use_fell_ratio, false) as use_fell,
        coalesce(days.sponsor_active = 0, false) as sponsor_gone
    from _now as days
    cross join rules
    cross join bands
    left join _before as before on days.customer_id = before.customer_id and before.as_of_date = days.as_of_date - 28
{%- endset %}

today as (
    {{- judge
        | replace('_now', "(select * from days where as_of_date = " ~ as_of_date() ~ ")")
        | replace('_before', "(select * from days where as_of_date = " ~ as_of_date() ~ " - 28)") }}
),

holding as (
    {%- for reason in reasons %}
    select customer_id, '{{ reason }}' as reason from today where {{ reason }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

-- Of all others the past says nothing.
past as (
    select days.customer_id, days.as_of_date, days.score_points, days.use_trend, days.sponsor_active
    from days
    where days.customer_id in (select customer_id from holding)
),

judged as (
    {{- judge | replace('_now', 'past') | replace('_before', 'past') }}
),

history as (
    select
        holding.customer_id,
        holding.reason,
        judged.as_of_date,
        case holding.reason
            {%- for reason in reasons %}
            when '{{ reason }}' then judged.{{ reason }}
            {%- endfor %}
        end as holds
    from holding
    inner join judged on holding.customer_id = judged.customer_id
),

interrupted as (
    select
        *,
        max(case when not holds then as_of_date end) over (partition by customer_id, reason) as last_without
    from history
),

final as (
    select
        interrupted.customer_id,
        interrupted.reason,
        min(interrupted.as_of_date) as started_on,
        max(today.score_points) as score_points,
        max(today.change_points) as change_points,
        max(today.use_trend) as use_trend
    from interrupted
    inner join today on interrupted.customer_id = today.customer_id
    where interrupted.holds and (interrupted.last_without is null or interrupted.as_of_date > interrupted.last_without)
    group by interrupted.customer_id, interrupted.reason
)

select * from final
