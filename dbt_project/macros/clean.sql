{# Text without surrounding white space; an empty text is no text. #}
{% macro clean_text(column) %}nullif(trim({{ column }}), ''){% endmacro %}

{# E-mail addresses, states and kinds compare case-insensitively, so they are stored in lower case. #}
{% macro clean_code(column) %}nullif(lower(trim({{ column }})), ''){% endmacro %}

{#
  A company domain, whichever way it was typed: without scheme, www, path or a closing dot. (`[.]` because a backslash means
  different things to the two engines.) Words for "none" that files have (NULL, n/a, n.a., -) are no domain: a dot with two characters
  behind it makes one.
#}
{% macro clean_domain(column) -%}
    {%- set host -%}
    regexp_replace(regexp_replace(lower(trim({{ column }})), '^([a-z]+://)?(www[.])?', ''), '[.]?([/:?].*)?$', '')
    {%- endset -%}
    case when {{ host }} like '%_.__%' then {{ host }} end
{%- endmacro %}

{# Text without the words of it that are e-mail addresses (three at most); nothing left is no text. A name of a company may hold an @. #}
{% macro without_addresses(column) -%}
    {%- set address = "' ?[^@ ]+@[^@ ]+[.][A-Za-z][^ ]*'" -%}
    nullif(trim(regexp_replace(regexp_replace(regexp_replace({{ column }}, {{ address }}, ''), {{ address }}, ''), {{ address }}, '')), '')
{%- endmacro %}
