{#
  The running sum of amounts that each hold over an interval: rows (keys, valid_from, valid_to, amounts) become one row per key and
  stretch of days on which the sum does not change, from the first change on and without gaps (a stretch in which nothing holds is a
  row of zeros; the last row is open). What ends on the day on which as much begins, as a renewed period does, is no change.
  valid_to NULL = still holds. Deltas and a window, never a row per day.

  relation: a CTE or model with the columns; keys, amounts: lists of column names (amounts decimal, so that they cancel exactly).
#}
{% macro sum_intervals(relation, keys, amounts) %}
    select
        {{ keys | join(', ') }},
        changed_on as valid_from,
        lead(changed_on) over (partition by {{ keys | join(', ') }} order by changed_on) as valid_to
        {%- for amount in amounts %},
        sum(sum({{ amount }})) over (
            partition by {{ keys | join(', ') }} order by changed_on rows unbounded preceding
        ) as {{ amount }}
        {%- endfor %}
    from (
        select {{ keys | join(', ') }}, valid_from as changed_on, {{ amounts | join(', ') }}
        from {{ relation }}
        union all
        select {{ keys | join(', ') }}, valid_to as changed_on
            {%- for amount in amounts %}, -{{ amount }} as {{ amount }}{% endfor %}
        from {{ relation }}
        where valid_to is not null
    ) as changes
    group by {{ keys | join(', ') }}, changed_on
    having {% for amount in amounts %}sum({{ amount }}) <> 0{{ ' or ' if not loop.last }}{% endfor %}
{% endmacro %}
