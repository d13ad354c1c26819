{#
  Every distinct version of every record that had landed by `as_of_date`, with the days on which it was what we knew.

  The lake is append-only, so a record that changes stands in it several times. `known_from` / `known_until` (half-open
  dates in the reporting time zone, NULL = still) say when each version was current *to us*:

  - a change counts from the day it was made, but never from before its load date less `restatement_days`: what arrives
    later than that does not rewrite days that were already settled;
  - the first version we have of a record stands for its past, back to its creation; in the first load of a source, however
    long ago that was, because nothing older can be known.

  So "what was known on day D" is the one condition `known_from <= D and (known_until > D or known_until is null)`, and
  N daily runs, one range run and a full refresh see the same thing. Columns besides the source's own: known_from,
  known_until, is_current, is_deleted, is_late (arrived after its day was settled), source_relation.

  Key, creation and update columns come from the source's YAML (meta: primary_key, created_at, updated_at).
#}
{% macro record_versions(vendor, table) %}
{%- set relation = source(vendor, table) -%}
{%- set meta = {'primary_key': ['_row_hash']} -%}
{%- if execute -%}
    {%- for node in graph.sources.values() if node.source_name == vendor and node.name == table -%}
        {%- do meta.update(node.config.meta or node.meta) -%}
    {%- endfor -%}
{%- endif -%}
{%- set key = (['_source_relation'] + meta.primary_key) | join(', ') -%}
{%- set created_on = reporting_date(meta.created_at) if meta.created_at else "cast('0001-01-01' as date)" -%}
{%- set updated_on = reporting_date(meta.updated_at) if meta.updated_at else '_load_date' -%}
{%- set settled_on = dbt.dateadd('day', -var('restatement_days') | int, '_load_date') -%}
    select
        *,
        known_until is null as is_current
    from (
        select
            *,
            lead(known_from) over (partition by {{ key }} order by version_number) as known_until
        from (
            select
                *,
                case
                    when version_number = 1 and _load_date = first_load_date then coalesce(created_on, cast('0001-01-01' as date))
                    when version_number = 1 then greatest(coalesce(created_on, settled_on), settled_on)
                    else greatest(coalesce(updated_on, settled_on), settled_on)
                end as known_from,
                version_number = 1 and _load_date > first_load_date and coalesce(created_on < settled_on, false) as is_late
            from (
                select
                    *,
                    row_number() over (partition by {{ key }} order by {{ meta.updated_at or '_load_date' }} nulls first, _load_date, _loaded_at) as version_number
                from (
                    select
                        *,
                        _source_relation as source_relation,
                        _is_deleted as is_deleted,
                        {{ created_on }} as created_on,
                        {{ updated_on }} as updated_on,
                        cast({{ settled_on }} as date) as settled_on,
                        min(_load_date) over (partition by _source_relation) as first_load_date,
                        lag(_row_hash) over (partition by {{ key }} order by {{ meta.updated_at or '_load_date' }} nulls first, _load_date, _loaded_at) as previous_row_hash
                    from {{ relation }}
                    where _load_date <= {{ as_of_date() }}
                ) as landed
                where previous_row_hash is distinct from _row_hash
            ) as changed
        ) as dated
        where known_from <= {{ as_of_date() }}
    ) as bounded
    where known_until is null or known_until > known_from
{%- endmacro %}
