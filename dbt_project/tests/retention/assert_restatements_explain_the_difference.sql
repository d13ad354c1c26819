-- The MRR of a closed month as known now, less what was known on its last day, is the sum of the causes: nothing left over, in no month.
with closings as (
    select month, closing_mrr as amount
    from {{ ref('rpt_revenue_retention_monthly') }}
    where segment_kind = 'all' and is_complete
    union all
    select month, -mrr_reporting_amount as amount
    from {{ ref('int_retention__first_known_mrr') }}
),

differences as (
    select month, sum(amount) as difference
    from closings
    group by month
),

causes as (
    select month, sum(amount) as explained
    from {{ ref('rpt_mrr_restatements') }}
    group by month
)

select coalesce(differences.month, causes.month) as month, differences.difference, causes.explained
from differences
full outer join causes
    on differences.month = causes.month
where coalesce(differences.difference, 0) <> coalesce(causes.explained, 0)
