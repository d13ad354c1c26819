-- What was known of each paying customer on the first of each month and today: what churn is predicted from, and whether it came.
-- All features are of the day itself or before, as seen on the day (int_health__daily); the label is the only thing that is later.
-- Neither the points of outcomes nor the coverage they are part of: a source's first load brings goals as they were last measured, so
-- that before it only customers who were to leave have a measurement. That says who churned, not who will.
{%- set horizon = 90 %}
{%- set components = health_components() %}
-- Only days of snapshots, and those with which they are compared.
with health as (
    select * from {{ ref('int_health__daily') }}
    where
        as_of_date <= {{ as_of_date() }}
        and mrr_reporting_amount > 0
        and (
            {%- for days in [0, 28, 90] %}
            {{ 'or ' if not loop.first }}extract(day from as_of_date + {{ days }}) = 1 or as_of_date = {{ as_of_date() }} - {{ days }}
            {%- endfor %}
        )
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

payers as (
    select
        customer_id,
        valid_to as ended_on,
        lead(paying_since) over (partition by customer_id order by valid_from) as next_paying_since
    from {{ ref('int_health__payers_as_seen') }}
),

-- Where the stretch of paying goes on (a gap within the grace days, or one that a late bill closed) nobody left.
churns as (
    select customer_id, ended_on
    from payers
    where ended_on is not null and (next_paying_since is null or next_paying_since >= ended_on)
),

snapshots as (
    select * from health
    where extract(day from as_of_date) = 1 or as_of_date = {{ as_of_date() }}
),

labelled as (
    select snapshots.customer_id, snapshots.as_of_date, min(churns.ended_on) as churned_on
    from snapshots
    inner join churns
        on snapshots.customer_id = churns.customer_id and churns.ended_on > snapshots.as_of_date
        and churns.ended_on <= snapshots.as_of_date + {{ horizon }}
    group by snapshots.customer_id, snapshots.as_of_date
),

final as (
    select
        snapshots.customer_id,
        snapshots.as_of_date,
        snapshots.tier,
        snapshots.mrr_reporting_amount,
        snapshots.tenure_days,
        snapshots.is_product_observed,
        snapshots.active_users_28d,
        snapshots.features_28d,
        {{ dbt.datediff('snapshots.last_used_on', 'snapshots.as_of_date', 'day') }} as days_since_use,
        snapshots.seats,
        snapshots.seat_use,
        snapshots.use_trend,
        {{ dbt.datediff('snapshots.last_touched_on', 'snapshots.as_of_date', 'day') }} as days_since_touch,
        snapshots.touch_ratio,
        snapshots.sponsor_active,
        snapshots.nps_mean,
        snapshots.open_escalations,
        snapshots.days_past_due,
        commitments.billed_until <= snapshots.as_of_date + {{ horizon }} as may_leave_in_90d,
        commitments.is_cancellation_requested,
        {%- for component in components if component != 'outcomes' %}
        snapshots.{{ component }}_points,
        {%- endfor %}
        snapshots.score_points,
        snapshots.definition_version,
        {%- for days in [28, 90] %}
        snapshots.score_points - before_{{ days }}.score_points as score_change_{{ days }}d,
        snapshots.active_users_28d - before_{{ days }}.active_users_28d as active_users_change_{{ days }}d,
        cast(snapshots.mrr_reporting_amount as double) / cast(before_{{ days }}.mrr_reporting_amount as double) - 1 as mrr_growth_{{ days }}d,
        {%- endfor %}
        case
            when snapshots.as_of_date + {{ horizon }} + rules.grace_days <= {{ as_of_date() }} then labelled.churned_on is not null
        end as has_churned
    from snapshots
    cross join rules
    inner join {{ ref('int_predictions__commitments') }} as commitments
        on snapshots.customer_id = commitments.customer_id and snapshots.as_of_date = commitments.as_of_date
    {%- for days in [28, 90] %}
    left join health as before_{{ days }}
        on snapshots.customer_id = before_{{ days }}.customer_id and before_{{ days }}.as_of_date = snapshots.as_of_date - {{ days }}
    {%- endfor %}
    left join labelled on snapshots.customer_id = labelled.customer_id and snapshots.as_of_date = labelled.as_of_date
)

select * from final
