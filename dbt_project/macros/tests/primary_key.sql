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

{#
  The table's own primary_key tests as the last thing that building it does (post-hook): a query instead of a node, of which there would be
  some 290 a run at 50 ms each. They stand in the transaction that builds the table: with a broken key it stays what it was.
  orchestration/dbt.py leaves the tests out of its runs and reads their outcome from here.
#}
{% macro check_primary_key() %}
    {%- set keys = keys_of_tables().get(model.unique_id, []) if execute and var('check_keys') else [] -%}
    {%- for key in keys %}
        {%- set columns = key.columns | join(', ') -%}
        {%- set found = "'primary_key: ' || count(*) || ' keys of " ~ this.name ~ " are doubled or NULL (" ~ columns ~ ")'" -%}
select case when count(*) > 0 then {{ raise_error(found) }} end as broken
from ({{ test_primary_key(this, key.columns, key.get('days'), key.get('run_id')) }}) as broken_keys
        {%- if not loop.last %} union all {% endif %}
    {%- endfor -%}
{% endmacro %}

{# Ends the statement with this message (an expression), wherever it is evaluated. #}
{% macro raise_error(message) -%} {{ return(adapter.dispatch('raise_error')(message)) }} {%- endmacro %}
{% macro default__raise_error(message) -%} error({{ message }}) {%- endmacro %}
{% macro spark__raise_error(message) -%} raise_error({{ message }}) {%- endmacro %}

{# Table → its primary_key tests' arguments: gathered once, and kept in dbt's graph, which all nodes share. #}
{% macro keys_of_tables() %}
    {%- if 'keys_of_tables' not in graph -%}
        {%- set keys = {} -%}
        {%- for test in graph.nodes.values() | selectattr('test_metadata', 'defined') if test.test_metadata.name == 'primary_key' -%}
            {%- do keys.setdefault(test.attached_node, []).append(test.test_metadata.kwargs) -%}
        {%- endfor -%}
        {%- do graph.update({'keys_of_tables': keys}) -%}
    {%- endif -%}
    {{ return(graph.keys_of_tables) }}
{% endmacro %}
