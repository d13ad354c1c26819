-- Who pays on the day of the run has a health and an adoption of that day, and nobody else: the newest day is the day of the run, or nobody
-- is left who pays.
with payers as (
    select customer_id
    from {{ ref('int_health__payers_as_seen') }}
    where valid_from <= {{ as_of_date() }} and (valid_to is null or valid_to > {{ as_of_date() }})
),

published as (
    {%- for daily in [ref('fct_customer_health_daily'), ref('fct_adoption_daily')] %}
    select '{{ daily.identifier }}' as daily, customer_id from {{ daily }} where as_of_date = {{ as_of_date() }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        customer_id,
        count(daily) as days
    from (
        select customer_id, daily from published
        union all
        select customer_id, cast(null as {{ dbt.type_string() }}) as daily from payers
    ) as both_sides
    group by customer_id
    having count(*) <> 3 or count(daily) <> 2
)

select * from final
