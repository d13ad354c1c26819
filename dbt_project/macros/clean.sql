{# Text without surrounding white space; an empty text is no text. #}
{% macro clean_text(column) %}nullif(trim({{ column }}), ''){% endmacro %}

{# E-mail addresses, states and kinds compare case-insensitively, so they are stored in lower case. #}
{% macro clean_code(column) %}nullif(lower(trim({{ column }})), ''){% endmacro %}

{#
  A company domain, whichever way it was typed: without scheme, www, path or a closing dot. (`[.]` because a backslash means
  different things to the two engines.)
#}
{% macro clean_domain(column) -%}
    nullif(regexp_replace(regexp_replace(lower(trim({{ column }})), '^([a-z]+://)?(www[.])?', ''), '[.]?([/:?].*)?$', ''), '')
{%- endmacro %}
