{#
  The columns together identify one row, and none of them is NULL: one query for the two halves of a primary key. Of a daily table that grows
  (`days` = its date) a run looks at what it computed: days_of_this_run.
#}
{% test primary_key(model, columns, days=none, run_id=none) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_found
from {{ model }}
{%- if days %}
where {{ days_of_this_run(days, run_id) }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
