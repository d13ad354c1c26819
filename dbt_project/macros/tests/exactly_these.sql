{#
  The column holds each of these values, and no other. For seeds of rules: a rule that is missing would read as NULL, and whatever it decides
  would silently never hold.
#}
{% test exactly_these(model, column_name, values) %}
with expected as (
    {%- for value in values %}
    select '{{ value }}' as expected_value{{ ' union all' if not loop.last }}
    {%- endfor %}
),

found as (
    select {{ column_name }} as found_value
    from {{ model }}
    group by {{ column_name }}
)

select
    coalesce(expected.expected_value, found.found_value) as {{ column_name }},
    case when found.found_value is null then 'missing' else 'unknown' end as problem
from expected
full outer join found on expected.expected_value = found.found_value
where expected.expected_value is null or found.found_value is null
{% endtest %}
