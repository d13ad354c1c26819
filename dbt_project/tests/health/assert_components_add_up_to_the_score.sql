-- The contributions of the components sum to the score and their changes to its change, but for rounding; what each adds and keeps from
-- it makes 100.
with health as (
    select * from {{ ref('fct_customer_health_daily') }}
    where {{ days_of_this_run('as_of_date', 'run_id') }}
),

-- Days of long ago were computed of few customers: named apart, so that the engine reads of all years only what is theirs.
components as (
    select * from {{ ref('fct_health_components_daily') }}
    where as_of_date >= {{ start_date() }}
    union all
    select * from {{ ref('fct_health_components_daily') }}
    where as_of_date < {{ start_date() }} and customer_id in (select customer_id from health where as_of_date < {{ start_date() }})
)

select
    health.customer_id,
    health.as_of_date,
    health.health_score,
    sum(components.score_contribution) as contributions,
    sum(components.score_lost) as lost,
    health.change_28d,
    sum(components.change_28d) as changes
from health
left join components
    on health.customer_id = components.customer_id and health.as_of_date = components.as_of_date
group by health.customer_id, health.as_of_date, health.health_score, health.change_28d
having
    count(components.component) <> 7
    or abs(health.health_score - sum(components.score_contribution)) > 0.006
    or abs(100 - sum(components.score_contribution) - sum(components.score_lost)) > 0.006
    or abs(health.change_28d - sum(components.change_28d)) > 0.012
    or (health.change_28d is null) <> (sum(components.change_28d) is null)
