{%- set reasons = {
    'seats_used': ('days.seat_use', 'seats are in use'),
    'broad_use': ('days.feature_breadth', 'many features are in use'),
    'healthy': ('cast(days.score_points as double) / 100', 'health is green'),
    'promoter': ('days.nps_mean', 'a promoter'),
    'outcome_reached': ('goals.achieved', 'outcomes are reached'),
} -%}
with limits as (
    select
        {%- for reason in reasons %}
        max(case when item = '{{ reason }}' then threshold end) as {{ reason }}_from,
        max(case when item = '{{ reason }}' then points end) as {{ reason }}_points{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('journey_points') }}
    where topic = 'expansion'
),

rules as (
    select
        max(case when rule = 'expansion_coverage' then value end) as minimum_coverage,
        max(case when rule = 'ready_from' then value end) as ready_from
    from {{ ref('journey_rules') }}
),

goals as (
    select customer_id, count(achieved_on) as achieved from {{ ref('fct_success_goals') }} group by customer_id
),

products as (
    select source_relation, product_id, max(product_name) as product_name from {{ ref('dim_plans') }} group by source_relation, product_id
),

-- What is not known speaks neither for nor against: it is left out of both sides.
judged as (
    select
        days.customer_id,
        days.as_of_date,
        days.tier,
        days.seats,
        {%- for reason, (value, words) in reasons.items() %}
        {{ value }} >= limits.{{ reason }}_from as {{ reason }},
        {%- endfor %}
        ({% for reason, (value, words) in reasons.items() -%}
            case when {{ value }} >= limits.{{ reason }}_from then limits.{{ reason }}_points else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %}) as points,
        ({% for reason, (value, words) in reasons.items() -%}
            case when {{ value }} is not null then limits.{{ reason }}_points else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %}) as known_points,
        ({% for reason in reasons %}limits.{{ reason }}_points{{ ' + ' if not loop.last }}{% endfor %}) as all_points
    from {{ ref('int_health__daily') }} as days
    cross join limits
    left join goals on days.customer_id = goals.customer_id
    where days.as_of_date = {{ as_of_date() }}
),

final as (
    select
        cast(judged.customer_id as string) as customer_id,
        judged.as_of_date,
        cast(judged.tier as string) as tier,
        case
            when judged.known_points >= rules.minimum_coverage * judged.all_points
                then {{ to_money('100 * cast(judged.points as double) / nullif(judged.known_points, 0)') }}
        end as readiness,
        {{ to_money('cast(judged.known_points as double) / judged.all_points') }} as coverage,
        case
            when judged.known_points >= rules.minimum_coverage * judged.all_points
                then 100 * judged.points >= rules.ready_from * judged.known_points
        end as is_ready,
        {%- for reason in reasons %}
        judged.{{ reason }} as is_{{ reason }},
        {%- endfor %}
        cast(nullif(trim(concat(
            {%- for reason, (value, words) in reasons.items() %}
            case when judged.{{ reason }} then '{{ words }}; ' else '' end{{ ',' if not loop.last }}
            {%- endfor %}
        )), '') as string) as reasons,
        cast(case
            when judged.known_points < rules.minimum_coverage * judged.all_points then 'too little is known'
        end as string) as unscored_because,
        cast(whitespace.product_id as string) as whitespace_product_id,
        cast(products.product_name as string) as whitespace_product_name,
        whitespace.peer_share as whitespace_peer_share,
        cast(whitespace.peer_group as string) as whitespace_peer_group,
        whitespace.usual_arr_reporting_amount as whitespace_arr_reporting_amount,
        cast(whitespace.products as bigint) as whitespace_products,
        cast('{{ var("run_id") }}' as string) as run_id
    from judged
    cross join rules
    left join {{ ref('int_journey__whitespace') }} as whitespace on judged.customer_id = whitespace.customer_id
    left join products on whitespace.source_relation = products.source_relation and whitespace.product_id = products.product_id
)

select * from final
