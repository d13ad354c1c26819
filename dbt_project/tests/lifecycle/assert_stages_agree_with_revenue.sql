-- Who pays is in a stage of paying customers, who does not is churned or a prospect.
select
    stages.customer_id,
    stages.stage,
    stages.valid_from
from {{ ref('fct_lifecycle_stages') }} as stages
left join {{ ref('fct_customer_mrr') }} as mrr
    on
        stages.customer_id = mrr.customer_id
        and stages.valid_from >= mrr.valid_from
        and (stages.valid_from < mrr.valid_to or mrr.valid_to is null)
where (stages.stage in ('churned', 'prospect')) = (mrr.customer_id is not null)
