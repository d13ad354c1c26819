-- Seed health_thresholds as one row, three columns a measure.
select
    {%- for component, measures in health_components().items() %}
    {%- set outer_last = loop.last %}
    {%- for measure in measures %}
    max(case when measure = '{{ measure }}' then cast(worst as double) end) as {{ measure }}_worst,
    max(case when measure = '{{ measure }}' then cast(best as double) end) as {{ measure }}_best,
    max(case when measure = '{{ measure }}' then cast(share as bigint) end) as {{ measure }}_share
    {{- ',' if not (outer_last and loop.last) }}
    {%- endfor %}
    {%- endfor %}
from {{ ref('health_thresholds') }}
