-- Seed health_weights, one row per tier and version, with the days on which the version is in force.
with versions as (
    select
        tier,
        definition_version,
        valid_from
        {%- for component in health_components() %},
        sum(case when component = '{{ component }}' then cast(weight as bigint) else 0 end) as {{ component }}_weight
        {%- endfor %}
    from {{ ref('health_weights') }}
    group by tier, definition_version, valid_from
),

final as (
    select
        *,
        lead(valid_from) over (partition by tier order by valid_from) as valid_to
    from versions
)

select * from final
