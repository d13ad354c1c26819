{%- set components = health_components() -%}
{#- Without any user there is no stickiness, without use before no trend: that is what the customer did, not missing data. -#}
{%- set has = {'stickiness': 'scaled.has_stickiness', 'use_trend': 'scaled.has_use_trend'} -%}
with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

thresholds as (
    select * from {{ ref('int_health__thresholds') }}
),

measures as (
    select
        customer_days.*,
        usage.is_observed as is_product_observed,
        usage.active_users_28d,
        usage.features_28d,
        usage.core_features_28d,
        usage.last_used_on,
        seats.seats,
        usage.has_stickiness,
        usage.has_use_trend,
        usage.active_days_28d,
        usage.stickiness,
        usage.use_trend,
        usage.days_since_use,
        usage.seat_use,
        usage.feature_breadth,
        usage.core_feature_share,
        engagement.last_touched_on,
        engagement.touch_ratio,
        engagement.sponsor_active,
        outcomes.goal_pace,
        engagement.onboarding_steps,
        sentiment.nps_mean,
        sentiment.csat_mean,
        sentiment.ces_mean,
        support.open_escalations,
        support.oldest_ticket_days,
        support.urgent_tickets,
        commercial.days_past_due,
        commercial.failed_payments_90d,
        commercial.growth_180d
    from customer_days
    left join {{ ref('int_health__seat_days') }} as seats
        on customer_days.customer_id = seats.customer_id and customer_days.as_of_date = seats.as_of_date
    {%- for input in ['usage', 'engagement', 'outcome', 'sentiment', 'support', 'commercial'] %}
    {%- set alias = 'outcomes' if input == 'outcome' else input %}
    left join {{ ref('int_health__' ~ input ~ '_inputs') }} as {{ alias }}
        on customer_days.customer_id = {{ alias }}.customer_id and customer_days.as_of_date = {{ alias }}.as_of_date
    {%- endfor %}
),

-- From the worst value (0) to the best (10,000 hundredths of a point) in a straight line, and no further.
scaled as (
    select
        measures.*
        {%- for component, names in components.items() %}
        {%- for name in names %},
        case when measures.{{ name }} is not null then cast(round(10000 * least(1, greatest(0,
            (cast(measures.{{ name }} as double) - thresholds.{{ name }}_worst) / (thresholds.{{ name }}_best - thresholds.{{ name }}_worst)
        ))) as bigint) end as {{ name }}_points,
        thresholds.{{ name }}_share
        {%- endfor %}
        {%- endfor %}
    from measures
    cross join thresholds
),

-- Which measures a component is made of on the day, as a sum of powers of two: only the same ones can be compared.
final as (
    select
        customer_id,
        as_of_date,
        tier,
        mrr_reporting_amount,
        tenure_days,
        paying_days,
        is_product_observed,
        active_users_28d,
        features_28d,
        core_features_28d,
        last_used_on,
        seats,
        seat_use,
        feature_breadth,
        core_feature_share,
        stickiness,
        use_trend,
        last_touched_on,
        touch_ratio,
        sponsor_active,
        nps_mean,
        open_escalations,
        days_past_due
        {%- for component, names in components.items() %}
        {%- set pairs = [] %}
        {%- for name in names %}{% do pairs.append([name ~ '_points', name ~ '_share']) %}{% endfor %},
        {{ weighted_mean(pairs) }} as {{ component }}_points,
        {% for name in names -%}
        case when {{ has.get(name, 'scaled.' ~ name ~ ' is not null') }} then {{ 2 ** loop.index0 }} else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as {{ component }}_measures
        {%- endfor %}
    from scaled
)

select * from final
