{#
  A company name as two systems would agree on it: lower case, letters and digits only, without the legal form at its end.
  The pattern of "not a letter, not a digit" is Unicode's on both engines, so a name in any script keeps its letters.
#}
{% macro name_key(column) -%}
    {%- set legal_forms = [
        'inc', 'incorporated', 'llc', 'llp', 'lp', 'ltd', 'limited', 'plc', 'corp', 'corporation', 'co', 'company', 'gmbh',
        'ag', 'kg', 'ug', 'se', 'sa', 'sas', 'sarl', 'sl', 'srl', 'spa', 'bv', 'b v', 'nv', 'n v', 'kk', 'k k', 's l', 's a',
        's r l', 's p a', 'ab', 'as', 'aps', 'oy', 'oyj', 'pty', 'pte',
    ] -%}
    nullif(trim(regexp_replace({{ words(column) }}, '( ({{ legal_forms | join('|') }}))+$', '')), '')
{%- endmacro %}

{# Lower-case words, one space between them, nothing else. #}
{% macro words(column) %}{{ return(adapter.dispatch('words')(column)) }}{% endmacro %}
{% macro default__words(column) %}trim(regexp_replace(lower({{ column }}), '[^\p{L}\p{N}]+', ' ', 'g')){% endmacro %}
{% macro spark__words(column) %}trim(regexp_replace(lower({{ column }}), '[^\\p{L}\\p{N}]+', ' ')){% endmacro %}

{# The tenant in `<vendor>_<tenant>`; the only tenant of a vendor is the empty one. #}
{% macro tenant(source_relation) -%}
    case when position('_' in {{ source_relation }}) > 0 then substr({{ source_relation }}, position('_' in {{ source_relation }}) + 1) else '' end
{%- endmacro %}

{# The host of an e-mail address. #}
{% macro email_domain(column) -%}
    case when position('@' in {{ column }}) > 0 then nullif(substr({{ column }}, position('@' in {{ column }}) + 1), '') end
{%- endmacro %}

{# A number from a text, the same on every engine and evenly spread over 28 bits: to compare sets of records by count and sum. #}
{% macro hash_number(text) -%}
    cast(0
    {%- for place in range(1, 8) %}
        + {{ 16 ** (place - 1) }} * (position(substr(md5({{ text }}), {{ place }}, 1) in '0123456789abcdef') - 1)
    {%- endfor %} as bigint)
{%- endmacro %}

{#
  Orders records by age, then by `columns`, as one text: by a single key an engine finds the first of each group without sorting.
  A space comes before every character of an id, so a shorter id stands before those that it begins.
#}
{% macro age_key(created_at, columns) -%}
    coalesce(cast({{ created_at }} as string), '9999')
    {%- for column in columns %} || ' ' || {{ column }}{% endfor %}
{%- endmacro %}
