{#
  The months of product use that this run may see otherwise than the last one did: those with a version of a record that became known, or
  ceased to be, within the run's window. For the table that keeps use by month.
#}
{% macro touched_usage_months() -%}
    select cast(date_trunc('month', changed.usage_date) as date)
    from {{ ref('int_product__usage_daily') }} as changed
    where changed.known_from >= {{ start_date() }} or changed.known_until >= {{ start_date() }}
{%- endmacro %}
