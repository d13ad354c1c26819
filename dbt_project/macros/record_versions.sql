{#
  Every distinct version of every record that had landed by `as_of_date`, with the days on which it was what we knew.

  The lake is append-only, so a record that changes stands in it several times. `known_from` / `known_until` (half-open
  dates in the reporting time zone, NULL = still) say when each version was current *to us*:

  - a change counts from the day it was made (without an update time: the day it landed), but never from before its load
    date less `restatement_days`: what arrives later than that does not rewrite days that were already settled (in the first
    load of a source none were);
  - the version that arrived first stands for the record's past, back to its creation: in the first load of a source
    however long ago that was, because nothing older can be known; later only within the restatement window;
  - on any day the version with the newest update time wins among those known by then, so one that arrives after a newer
    one never shows;
  - a tombstone is as new as the newest version that landed before it: a version that comes after it brings the record back.

  "What was known on day D" is the one condition `known_from <= D and (known_until > D or known_until is null)`, and
  because `known_from` depends on nothing that lands later, N daily runs, one range run and a full refresh see the same.

  Columns besides the source's own: source_relation, is_deleted, known_from, known_until, is_current, is_late (arrived
  after its day was settled), first_landed_on (load date of the record's first version, in each of them). Key, creation and
  update columns come from the source's YAML (source_contract); `updated_at` overrides the last for a table whose rows are
  corrected without an update time. `only`: a condition on columns of the key, for a table that is not built whole (see
  touched_by_window).

  Nearly all records have landed once. Their only version needs no comparing: windows are computed over the others alone.
#}
{% macro record_versions(vendor, table, updated_at=none, only=none) %}
{%- set contract = source_contract(vendor, table) -%}
{%- set columns = ['_source_relation'] + contract.primary_key -%}
{%- set key = columns | join(', ') -%}
{%- set updated_at = updated_at or contract.updated_at -%}
{%- set created_at = contract.created_at -%}
{%- set settled_on = '_load_date - ' ~ (var('restatement_days') | int) -%}
{%- set created_on = 'cast(null as date)' if not created_at else created_at if created_at in contract.dates else reporting_date(created_at) -%}
{%- set updated_on = 'cast(null as date)' if not updated_at else updated_at if updated_at in contract.dates else reporting_date(updated_at) -%}
{%- set in_time = '_load_date <= ' ~ as_of_date() ~ (' and ' ~ only if only else '') -%}
{%- set known -%}
case
    when is_first and is_initial_load then coalesce(created_on, cast('1900-01-01' as date))
    when is_first then greatest(coalesce(created_on, updated_on, settled_on), settled_on)
    when is_initial_load then coalesce(updated_on, _load_date)
    else greatest(coalesce(updated_on, _load_date), settled_on)
end as known_from,
not is_deleted
and not is_initial_load
and coalesce(case when is_first then coalesce(created_on, updated_on) else updated_on end < settled_on, false) as is_late
{%- endset -%}
with arrived as (
    select
        landed.*,
        landed._source_relation as source_relation,
        coalesce(landed._is_deleted, false) as is_deleted,
        cast({{ settled_on }} as date) as settled_on,
        {{ created_on }} as created_on,
        {{ updated_on }} as updated_on,
        landed._load_date = first_loads.first_load_date as is_initial_load,
        several.key_1 is not null as is_several
    from {{ source(vendor, table) }} as landed
    inner join (
        select
            _source_relation as loaded_relation,
            min(_load_date) as first_load_date
        from {{ source(vendor, table) }}
        group by _source_relation
    ) as first_loads on landed._source_relation = first_loads.loaded_relation
    left join (
        select {% for column in columns %}{{ column }} as key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
        from {{ source(vendor, table) }}
        where {{ in_time }}
        group by {{ key }}
        having count(*) > 1
    ) as several
        {# a part of a key may be empty (hours that hold since ever) -#}
        on {% for column in columns %}landed.{{ column }} is not distinct from several.key_{{ loop.index }}{{ ' and ' if not loop.last }}{% endfor %}
    where {{ in_time }}
)

select
    single.*,
    cast(null as date) as outrun_from,
    cast(null as date) as known_until,
    true as is_current
from (
    select
        one.*,
        {{ known | indent(8) }}
    from (
        select
            arrived.*,
            _load_date as first_landed_on,
            cast(null as timestamp) as version_at,
            cast(1 as bigint) as version_number,
            true as is_first,
            cast(null as string) as previous_row_hash
        from arrived
        where not is_several
    ) as one
) as single
where known_from <= {{ as_of_date() }}
union all
select
    shown.*,
    known_until is null as is_current
from (
    select
        visible.*,
        lead(known_from) over (partition by {{ key }} order by version_number) as known_until
    from (
        -- outrun: a newer version was known no later than this one
        select
            dated.*,
            min(known_from) over (
                partition by {{ key }} order by version_number rows between 1 following and unbounded following
            ) as outrun_from
        from (
            select
                changed.*,
                {{ known | indent(16) }}
            from (
                select
                    ordered.*,
                    version_number = min(case when _load_date = first_landed_on then version_number end) over (partition by {{ key }}) as is_first,
                    lag(_row_hash) over (partition by {{ key }} order by version_number) as previous_row_hash
                from (
                    select
                        timed.*,
                        row_number() over (
                            partition by {{ key }} order by version_at nulls first, _load_date, is_deleted, _loaded_at, _row_hash
                        ) as version_number
                    from (
                        select
                            arrived.*,
                            min(_load_date) over (partition by {{ key }}) as first_landed_on,
                            {% if updated_at -%}
                            coalesce(
                                {{ updated_at }},
                                max({{ updated_at }}) over (partition by {{ key }} order by _load_date)
                            )
                            {%- else -%} cast(null as timestamp) {%- endif %} as version_at
                        from arrived
                        where is_several
                    ) as timed
                ) as ordered
            ) as changed
            where previous_row_hash is distinct from _row_hash
        ) as dated
        where known_from <= {{ as_of_date() }}
    ) as visible
    where outrun_from is null or outrun_from > known_from
) as shown
{%- endmacro %}


{#
  For an incremental staging table: the condition that a record's `day`, a date in its key, is one whose versions this run
  may see otherwise than the last one did. A load of the run's own days holds something for it (the loads before were read by
  earlier runs: the window begins with the first day that was never published), or the day itself has come. The first of those days stands
  apart, because an engine that takes the days of a load for many reads the whole table to find a few.
#}
{% macro touched_by_window(vendor, table, day) -%}
{%- set lately -%}
from {{ source(vendor, table) }} as loads where loads._load_date >= {{ start_date() }} + {{ var('restatement_days') | int }}
{%- endset -%}
{{ day }} >= (select least(min(loads.{{ day }}), {{ start_date() }}) {{ lately }})
and {{ day }} in (
    select loads.{{ day }} {{ lately }}
    union all
    select {{ end_date() }} - cast(numbers.n as int) from range(0, 20000) as numbers (n)
    where {{ end_date() }} - cast(numbers.n as int) >= {{ start_date() }}
)
{%- endmacro %}


{#
  What the source's YAML says about a table (meta: primary_key, created_at, updated_at) and which of its columns are dates.
  A macro of its own because dbt unit tests have no graph: they override it.
#}
{% macro source_contract(vendor, table) %}
{%- set contract = {'primary_key': [], 'created_at': none, 'updated_at': none, 'dates': []} -%}
{%- if execute -%}
    {%- for node in graph.sources.values() if node.source_name == vendor and node.name == table -%}
        {%- do contract.update(node.config.meta or node.meta) -%}
        {%- for column in node.columns.values() if column.data_type == 'date' -%} {%- do contract.dates.append(column.name) -%} {%- endfor -%}
    {%- endfor -%}
{%- endif -%}
{{ return(contract) }}
{% endmacro %}
