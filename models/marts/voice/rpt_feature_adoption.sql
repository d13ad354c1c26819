{%- set measures = ['customers', 'promoters', 'detractors', 'answers', 'payers', 'payers_retained'] %}
{%- set sides = ['adopter', 'other'] %}
with users as (
    select *, 1 as customers from {{ ref('int_voice__product_users') }}
),

adopters as (
    select usage.source_relation, usage.feature, usage.month, nodes.customer_id
    from {{ ref('int_voice__feature_months') }} as usage
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'product' and usage.source_relation = nodes.source_relation and usage.workspace_id = nodes.source_id
    group by usage.source_relation, usage.feature, usage.month, nodes.customer_id
),

everybody as (
    select source_relation, month{% for measure in measures %}, sum({{ measure }}) as {{ measure }}{% endfor %}
    from users
    group by source_relation, month
),

adopting as (
    select
        adopters.source_relation, adopters.feature, adopters.month
        {%- for measure in measures %}, sum(users.{{ measure }}) as {{ measure }}{% endfor %}
    from adopters
    inner join users
        on
            adopters.source_relation = users.source_relation
            and adopters.customer_id = users.customer_id
            and adopters.month = users.month
    group by adopters.source_relation, adopters.feature, adopters.month
),

features as (
    select source_relation, feature, min(month) as first_month from adopters group by source_relation, feature
),

-- Others are all who used the product less those who used the feature.
counted as (
    select
        everybody.source_relation, features.feature, everybody.month
        {%- for measure in measures %},
        cast(coalesce(adopting.{{ measure }}, 0) as bigint) as adopter_{{ measure }},
        cast(everybody.{{ measure }} - coalesce(adopting.{{ measure }}, 0) as bigint) as other_{{ measure }}
        {%- endfor %}
    from everybody
    inner join features on everybody.source_relation = features.source_relation and everybody.month >= features.first_month
    left join adopting
        on features.source_relation = adopting.source_relation and features.feature = adopting.feature and everybody.month = adopting.month
),

-- Intervals of the differences: of the two NPS by the variances of macro nps; of the two shares after adding one who stayed and one who
-- left to either side (Agresti and Caffo 2000). Both are widened to hold the difference itself.
compared as (
    select
        *,
        adopter_answers > 0 and other_answers > 0 as has_nps,
        adopter_payers > 0 and other_payers > 0 as has_retention,
        {{ nps_centre('adopter_promoters', 'adopter_detractors', 'adopter_answers') }}
        - {{ nps_centre('other_promoters', 'other_detractors', 'other_answers') }} as nps_centre,
        1.96e0 * sqrt({{ nps_variance('adopter_promoters', 'adopter_detractors', 'adopter_answers') }}
        + {{ nps_variance('other_promoters', 'other_detractors', 'other_answers') }}) as nps_reach,
        100 * (cast(adopter_promoters as double) - adopter_detractors) / nullif(adopter_answers, 0)
        - 100 * (cast(other_promoters as double) - other_detractors) / nullif(other_answers, 0) as nps_gap
        {%- for side in sides %},
        cast({{ side }}_payers_retained as double) / nullif({{ side }}_payers, 0) as {{ side }}_share,
        (cast({{ side }}_payers_retained as double) + 1) / ({{ side }}_payers + 2) as {{ side }}_middle
        {%- endfor %}
    from counted
),

spread as (
    select
        *,
        least(last_day(month), {{ as_of_date() }}) as closes_on,
        adopter_share - other_share as retention_gap,
        adopter_middle - other_middle as middle_gap,
        1.96e0 * sqrt(
            adopter_middle * (1 - adopter_middle) / (adopter_payers + 2) + other_middle * (1 - other_middle) / (other_payers + 2)
        ) as retention_reach
    from compared
),

final as (
    select
        month, cast(source_relation as string) as source_relation, cast(feature as string) as feature, adopter_customers as adopters,
        other_customers as others, {{ to_money('cast(adopter_customers as double) / (adopter_customers + other_customers)') }} as adoption
        {%- for side in sides %},
        {{ side }}_answers as {{ side }}_nps_answers,
        {{ nps(side ~ '_promoters', side ~ '_detractors', side ~ '_answers') }} as {{ side }}_nps
        {%- endfor %},
        cast({{ nps('adopter_promoters', 'adopter_detractors', 'adopter_answers') }}
        - {{ nps('other_promoters', 'other_detractors', 'other_answers') }} as decimal(18,4)) as nps_difference,
        case when has_nps then {{ to_money('least(nps_gap, greatest(-200, 100 * (nps_centre - nps_reach)))') }} end as nps_difference_low,
        case when has_nps then {{ to_money('greatest(nps_gap, least(200, 100 * (nps_centre + nps_reach)))') }} end as nps_difference_high,
        cast(case
            when has_nps then null
            {{ "when true then 'no survey source'" if 'surveys' not in var('present_domains') }}
            when adopter_answers = 0 then 'no answer of an adopter' else 'no answer of another user'
        end as string) as nps_missing_because
        {%- for side in sides %},
        {{ side }}_payers,
        {{ to_money(side ~ '_share') }} as {{ side }}_retention_90d
        {%- endfor %},
        {{ to_money('retention_gap') }} as retention_difference,
        case when has_retention
            then {{ to_money('least(retention_gap, greatest(-1, middle_gap - retention_reach))') }} end as retention_difference_low,
        case when has_retention
            then {{ to_money('greatest(retention_gap, least(1, middle_gap + retention_reach))') }} end as retention_difference_high,
        cast(case
            when has_retention then null
            {{ "when true then 'no billing source'" if 'billing' not in var('present_domains') }}
            when closes_on + 90 > {{ as_of_date() }} then '90 days are not over'
            when adopter_payers = 0 then 'no adopter paid' else 'no other user paid'
        end as string) as retention_missing_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from spread
)

select * from final
