{# A reason for leaving as the seed churn_themes writes it: pick lists differ in case, underscores and hyphens only. #}
{% macro churn_reason(column) -%}
    nullif(trim(replace(replace(lower({{ column }}), '_', ' '), '-', ' ')), '')
{%- endmacro %}
