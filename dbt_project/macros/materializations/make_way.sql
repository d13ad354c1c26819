{#
  Drops the view that stands where a table shall be, and the other way round: `create or replace` refuses both. What stands where is looked
  up once an invocation and kept in dbt's graph, which all nodes share; dbt would look for each among all relations of its schema.
#}
{% macro make_way(relation, kind) %}
    {%- if invocation_id not in graph.get('kinds_at_start', {}) -%}
        {%- set kinds = {} -%}
        {%- set catalog = "select table_schema, table_name, table_type from information_schema.tables where table_catalog = current_database()" -%}
        {%- for row in run_query(catalog) -%}
            {%- do kinds.update({row[0] ~ '.' ~ row[1]: 'view' if row[2] == 'VIEW' else 'table'}) -%}
        {%- endfor -%}
        {%- do graph.update({'kinds_at_start': {invocation_id: kinds}}) -%}
    {%- endif -%}
    {%- set found = graph.kinds_at_start[invocation_id].get(relation.schema ~ '.' ~ relation.identifier, kind) -%}
    {%- if found != kind -%} {%- do run_query('drop ' ~ found ~ ' ' ~ relation) -%} {%- endif -%}
{% endmacro %}
