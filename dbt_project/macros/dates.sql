{# The run's window, as dates. Everything that counts up to "now" counts up to as_of_date(), never to the clock. #}
{% macro as_of_date() %}cast('{{ var("as_of_date") }}' as date){% endmacro %}
{% macro start_date() %}cast('{{ var("start_date") }}' as date){% endmacro %}
{% macro end_date() %}cast('{{ var("end_date") }}' as date){% endmacro %}

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
