-- What has not happened yet is no movement.
select customer_id, currency, moved_on
from {{ ref('fct_mrr_movements') }}
where moved_on > {{ as_of_date() }}
