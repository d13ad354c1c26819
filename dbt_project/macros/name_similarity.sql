{#
  Jaro-Winkler similarity of two texts, 0 to 1, rounded so that two engines agree. DuckDB has it; on Spark it is spelled out:
  the letters of `a` that find their like in `b` within the window, each letter of `b` used once, then the
  transpositions between the two sequences of matched letters, then the bonus for a common beginning.
#}
{% macro name_similarity(a, b) %}{{ return(adapter.dispatch('name_similarity')(a, b)) }}{% endmacro %}
{% macro default__name_similarity(a, b) -%}
    round(jaro_winkler_similarity({{ a }}, {{ b }}), 6)
{%- endmacro %}
{% macro spark__name_similarity(a, b) -%}
    aggregate(
        sequence(1, length({{ a }})),
        named_struct('used', cast(array() as array<int>), 'matched', ''),
        (found, i) -> coalesce(
            element_at(transform(
                slice(filter(
                    sequence(1, length({{ b }})),
                    j -> abs(i - j) <= greatest(cast(floor(greatest(length({{ a }}), length({{ b }})) / 2) as int) - 1, 0)
                        and substr({{ b }}, j, 1) = substr({{ a }}, i, 1) and not array_contains(found.used, j)
                ), 1, 1),
                j -> named_struct('used', concat(found.used, array(j)), 'matched', concat(found.matched, substr({{ a }}, i, 1)))
            ), 1), found),
        found -> case when length(found.matched) = 0 then 0.0d else round(aggregate(
            array((
                length(found.matched) / cast(length({{ a }}) as double) + length(found.matched) / cast(length({{ b }}) as double)
                + (length(found.matched) - floor(size(filter(
                    sequence(1, length(found.matched)),
                    p -> substr(found.matched, p, 1) <> substr({{ b }}, element_at(array_sort(found.used), p), 1)
                )) / 2)) / cast(length(found.matched) as double)
            ) / 3),
            0.0d,
            (total, jaro) -> case when jaro > 0.7 then jaro + (1 - jaro) * 0.1 * case
                when substr({{ a }}, 1, 4) = substr({{ b }}, 1, 4) then 4 when substr({{ a }}, 1, 3) = substr({{ b }}, 1, 3) then 3
                when substr({{ a }}, 1, 2) = substr({{ b }}, 1, 2) then 2 when substr({{ a }}, 1, 1) = substr({{ b }}, 1, 1) then 1 else 0
            end else jaro end
        ), 6) end
    )
{%- endmacro %}
