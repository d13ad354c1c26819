-- A churn is the day on which the last MRR of a customer goes: what was lost is what its churn movements of that day say, to the cent, and
-- who has no MRR now has left last on its churned_on and has not come back.
with events as (
    select * from {{ ref('fct_churn_events') }}
),

movements as (
    select customer_id, moved_on, -sum(mrr_change_reporting) as mrr_lost
    from {{ ref('fct_mrr_movements') }}
    where movement = 'churn'
    group by customer_id, moved_on
),

gone as (
    select customer_id, churned_on
    from {{ ref('dim_customers') }}
    where churned_on is not null
),

standing as (
    select customer_id, churned_on from events
    where reactivated_on is null
)

select events.customer_id, events.churned_on, 'the movements of the day say otherwise' as problem
from events
left join movements
    on events.customer_id = movements.customer_id and events.churned_on = movements.moved_on
where movements.mrr_lost is distinct from events.mrr_lost_reporting_amount
union all
select
    coalesce(gone.customer_id, standing.customer_id) as customer_id,
    coalesce(gone.churned_on, standing.churned_on) as churned_on,
    'gone here, not there' as problem
from gone
full outer join standing
    on gone.customer_id = standing.customer_id and gone.churned_on = standing.churned_on
where gone.customer_id is null or standing.customer_id is null
