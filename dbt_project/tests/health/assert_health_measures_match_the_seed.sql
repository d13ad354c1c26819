-- Every measure that the models compute has its thresholds, and none stands in the seed that nobody computes.
with computed as (
    {%- for component, measures in health_components().items() %}
    {%- set outer_last = loop.last %}
    {%- for measure in measures %}
    select '{{ component }}' as component, '{{ measure }}' as measure{{ ' union all' if not (outer_last and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select
    computed.measure as computed_measure,
    health_thresholds.measure as seed_measure
from computed
full outer join {{ ref('health_thresholds') }} as health_thresholds
    on computed.component = health_thresholds.component and computed.measure = health_thresholds.measure
where computed.measure is null or health_thresholds.measure is null or health_thresholds.worst = health_thresholds.best
