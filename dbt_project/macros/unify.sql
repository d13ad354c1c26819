{#
  One domain table from the staging models of all its vendors, in the columns of the bring-your-own-tables contract: every
  version of every record with the days on which it was known. A tombstone ends the version before it and is no row.
  A new vendor is one more name in `staging_models`; its model brings the same columns. With `keep_deleted` the versions that
  say "deleted" are rows too, marked by is_deleted.
#}
{% macro unify(staging_models, columns, keep_deleted=false) -%}
    {%- for staging_model in staging_models %}
    select
        {%- for column in columns %}
        versions.{{ column }},
        {%- endfor %}
        versions.source_relation,
        versions.known_from,
        versions.known_until,
        versions.is_current
        {%- if keep_deleted %},
        versions.is_deleted
        {%- endif %}
    from {{ ref(staging_model) }} as versions
    {%- if not keep_deleted %}
    where not versions.is_deleted
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
