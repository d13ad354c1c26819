-- The contributions of the components sum to the score, but for rounding.
select
    health.customer_id,
    health.as_of_date,
    health.health_score,
    sum(components.score_contribution) as contributions
from {{ ref('fct_customer_health_daily') }} as health
left join {{ ref('fct_health_components_daily') }} as components
    on health.customer_id = components.customer_id and health.as_of_date = components.as_of_date
group by health.customer_id, health.as_of_date, health.health_score
having count(components.component) <> 7 or abs(health.health_score - sum(components.score_contribution)) > 0.006
