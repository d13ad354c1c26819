-- No reason falls off the list because its play is missing.
select
    reasons.customer_id,
    reasons.reason
from {{ ref('fct_success_reasons') }} as reasons
left join {{ ref('fct_success_worklist') }} as worklist
    on reasons.customer_id = worklist.customer_id and reasons.reason = worklist.reason
where worklist.worklist_id is null
