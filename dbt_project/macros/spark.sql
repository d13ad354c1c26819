{# What dbt-spark leaves to be done, so that one set of models builds on both engines. Nothing here runs on DuckDB. #}

{# Seeds: an empty cell is NULL, and a quote in a text is a quote. (dbt-spark writes 'None', and quotes that break the statement.) #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(1000) -%}
        {%- set sql -%}
            insert into {{ this.render() }} values
            {% for row in chunk -%}
            (
                {%- for name in agate_table.column_names -%}
                {%- set value = row[loop.index0] -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set text = value | string | replace("\\", "\\\\") | replace("'", "\\'") -%}
                cast({{ 'null' if value is none else "'" ~ text ~ "'" }} as {{ type }}){{ ', ' if not loop.last }}
                {%- endfor -%}
            ){{ ', ' if not loop.last }}
            {% endfor %}
        {%- endset -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements[0]) }}
{% endmacro %}

{# Views become tables: what gates and publication read must be files, and a view would be computed again by each of its readers. #}
{% materialization view, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}
