{# The run's window, as dates. Everything that counts up to "now" counts up to as_of_date(), never to the clock. #}
{% macro as_of_date() %}cast('{{ var("as_of_date") }}' as date){% endmacro %}
{% macro start_date() %}cast('{{ var("start_date") }}' as date){% endmacro %}
{% macro end_date() %}cast('{{ var("end_date") }}' as date){% endmacro %}

{#
  A test's condition on the date of a table that grows day by day: the days that this run computes, so that a test costs no more after years;
  all days where the table was built anew or a run before it was never published (orchestration/warehouse.py keeps that). `run_id`: the
  column that says which run computed a row; then a new customer's past days count, too. Not for `where` in YAML, which knows the
  variables' defaults only.
#}
{% macro days_of_this_run(day, run_id=none) -%}
    {%- if looks_at_all_days() -%} true
    {%- else -%} ({{ day }} >= {{ start_date() }}{% if run_id %} or {{ run_id }} = '{{ var("run_id") }}'{% endif %})
    {%- endif -%}
{%- endmacro %}

{% macro looks_at_all_days() %}
    {%- if not execute or target.type != 'duckdb' -%} {{ return(true) }} {%- endif -%}
    {%- set tables = run_query("select count(*) from duckdb_tables() where schema_name = 'main' and table_name = 'unpublished_runs'") -%}
    {%- if tables.rows[0][0] == 0 -%} {{ return(true) }} {%- endif -%}
    {%- set runs = run_query("select count(*) from main.unpublished_runs where is_rebuild or run_id <> '" ~ var("run_id") ~ "'") -%}
    {{ return(runs.rows[0][0] > 0) }}
{% endmacro %}

{# The calendar date, in the reporting time zone, of a timestamp in UTC (a date is its own date). #}
{% macro reporting_date(column) -%}
    {{ return(adapter.dispatch('reporting_date')(column)) }}
{%- endmacro %}

{% macro default__reporting_date(column) -%}
    cast({{ column }} as date)
{%- endmacro %}

{% macro duckdb__reporting_date(column) -%}
    {%- if var('reporting_time_zone') == 'UTC' -%} cast({{ column }} as date)
    {%- else -%} cast(timezone('{{ var("reporting_time_zone") }}', timezone('UTC', cast({{ column }} as timestamp))) as date)
    {%- endif -%}
{%- endmacro %}

{% macro spark__reporting_date(column) -%}
    {%- if var('reporting_time_zone') == 'UTC' -%} cast({{ column }} as date)
    {%- else -%} cast(from_utc_timestamp({{ column }}, '{{ var("reporting_time_zone") }}') as date)
    {%- endif -%}
{%- endmacro %}

{# An event time as known at the end of as_of_date: NULL while it lies in the future. #}
{% macro happened(column) -%}
    case when {{ reporting_date(column) }} <= {{ as_of_date() }} then {{ column }} end
{%- endmacro %}
