{#
  One domain table from the staging models of all its vendors, in the columns of the bring-your-own-tables contract: every
  version of every record with the days on which it was known. A tombstone ends the version before it and is no row.
  A new vendor is one more name in `staging_models`; its model brings the same columns.
#}
{% macro unify(staging_models, columns) -%}
    {%- for staging_model in staging_models %}
    select
        {%- for column in columns %}
        versions.{{ column }},
        {%- endfor %}
        versions.source_relation,
        versions.known_from,
        versions.known_until,
        versions.is_current
    from {{ ref(staging_model) }} as versions
    where not versions.is_deleted
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
