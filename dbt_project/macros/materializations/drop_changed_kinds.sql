{#
  Tables that are to become views, and views that are to become tables: `create or replace` refuses them. Dropped at the start of an
  invocation, in one look at the catalog; dbt would look each of them up among all relations of its schema.
#}
{% macro drop_changed_kinds() %}
    {%- if not execute or target.type != 'duckdb' -%} {{ return('') }} {%- endif -%}
    {%- set kinds = {} -%}
    {%- set catalog = "select table_schema, table_name, table_type from information_schema.tables where table_catalog = current_database()" -%}
    {%- for row in run_query(catalog) -%}
        {%- do kinds.update({row[0] ~ '.' ~ row[1]: 'view' if row[2] == 'VIEW' else 'table'}) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
        {%- set found = kinds.get(node.schema ~ '.' ~ node.name) -%}
        {%- if found is not none and found != ('view' if node.config.materialized == 'view' else 'table') -%}
            {%- do run_query('drop ' ~ found ~ ' ' ~ node.schema ~ '.' ~ node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return('') }}
{% endmacro %}
