-- Reasons that can be read off the daily health, with the day on which the present episode began: the first of the unbroken row of
-- days on which the reason held, up to today.
{%- set components = health_components() %}
{%- set reasons = ['health_fell', 'use_fell', 'sponsor_gone'] %}
with rules as (
    select
        {%- for rule in ['health_fell_points', 'use_fell_ratio'] %}
        max(case when rule = '{{ rule }}' then value end) as {{ rule }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('worklist_rules') }}
),

bands as (
    select min_score * 100 as yellow_points from {{ ref('health_bands') }} where band = 'yellow'
),

{#- Which reasons hold on the days of _now, each compared with the day 28 days before it in _before. Data that comes or goes is no fall. -#}
{%- set judge %}
    select
        compared.*,
        coalesce(
            compared.score_points < bands.yellow_points or compared.behaviour_points <= -100 * rules.health_fell_points, false
        ) as health_fell,
        coalesce(compared.use_trend <= rules.use_fell_ratio, false) as use_fell,
        coalesce(compared.sponsor_active = 0, false) as sponsor_gone
    from (
        select
            today.customer_id,
            today.as_of_date,
            today.score_points,
            today.score_points - before.score_points as change_points,
            {{ behaviour_points() }} as behaviour_points,
            today.use_trend,
            today.sponsor_active
        from _now as today
        left join _before as before on today.customer_id = before.customer_id and before.as_of_date = today.as_of_date - 28
    ) as compared
    cross join rules
    cross join bands
{%- endset %}

today as (
    {{- judge
        | replace('_now', "(select * from " ~ ref('int_health__daily') ~ " where as_of_date = " ~ as_of_date() ~ ")")
        | replace('_before', "(select * from " ~ ref('int_health__daily') ~ " where as_of_date = " ~ as_of_date() ~ " - 28)") }}
),

holding as (
    {%- for reason in reasons %}
    select customer_id, '{{ reason }}' as reason from today where {{ reason }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

-- Of all others the past says nothing.
past as (
    select
        {%- for component in components %}
        {{ component }}_points,
        {{ component }}_weight,
        {{ component }}_measures,
        {%- endfor %}
        customer_id, as_of_date, score_points, use_trend, sponsor_active
    from {{ ref('int_health__daily') }}
    where as_of_date <= {{ as_of_date() }} and customer_id in (select customer_id from holding)
),

-- Days without payment have no row: what held before such a gap is another episode.
unbroken as (
    select * from past
    qualify as_of_date + cast(row_number() over (partition by customer_id order by as_of_date desc) as int) = {{ as_of_date() }} + 1
),

judged as (
    {{- judge | replace('_now', 'unbroken') | replace('_before', 'past') }}
),

ended as (
    select
        customer_id
        {%- for reason in reasons %},
        max(case when not {{ reason }} then as_of_date end) as {{ reason }}_ended_on
        {%- endfor %}
    from judged
    group by customer_id
),

started as (
    select
        judged.customer_id
        {%- for reason in reasons %},
        min(case
            when ended.{{ reason }}_ended_on is null or judged.as_of_date > ended.{{ reason }}_ended_on then judged.as_of_date
        end) as {{ reason }}_started_on
        {%- endfor %}
    from judged
    inner join ended on judged.customer_id = ended.customer_id
    group by judged.customer_id
),

final as (
    select
        holding.customer_id,
        holding.reason,
        case holding.reason
            {%- for reason in reasons %}
            when '{{ reason }}' then started.{{ reason }}_started_on
            {%- endfor %}
        end as started_on,
        today.score_points,
        today.change_points,
        today.behaviour_points,
        today.use_trend
    from holding
    inner join today on holding.customer_id = today.customer_id
    inner join started on holding.customer_id = started.customer_id
)

select * from final
