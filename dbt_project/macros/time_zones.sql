{#
  A local wall-clock time as UTC. `time_zone` is an expression: a column, or a quoted name.
  A time that a clock change skips counts as one hour later; one that it repeats is where DuckDB (second time) and Spark (first) part. Hours
  that may begin or end there are cut by int_support_tickets__offsets instead.
#}
{% macro local_to_utc(local_time, time_zone) -%}
    {{ return(adapter.dispatch('local_to_utc')(local_time, time_zone)) }}
{%- endmacro %}

{% macro default__local_to_utc(local_time, time_zone) -%}
    timezone('UTC', timezone({{ time_zone }}, {{ local_time }}))
{%- endmacro %}

{% macro spark__local_to_utc(local_time, time_zone) -%}
    to_utc_timestamp({{ local_time }}, {{ time_zone }})
{%- endmacro %}

{# What the clock on the wall shows at a moment in UTC: the same in every engine, because each moment has one local time. #}
{% macro utc_to_local(utc_time, time_zone) -%}
    {{ return(adapter.dispatch('utc_to_local')(utc_time, time_zone)) }}
{%- endmacro %}

{% macro default__utc_to_local(utc_time, time_zone) -%}
    timezone({{ time_zone }}, timezone('UTC', {{ utc_time }}))
{%- endmacro %}

{% macro spark__utc_to_local(utc_time, time_zone) -%}
    from_utc_timestamp({{ utc_time }}, {{ time_zone }})
{%- endmacro %}

{# The first moment (UTC) after the last day that counts: where clocks that still run are read. #}
{% macro as_of_end() -%}
    {{ local_to_utc('cast(' ~ as_of_date() ~ ' + 1 as timestamp)', "'" ~ var('reporting_time_zone') ~ "'") }}
{%- endmacro %}
