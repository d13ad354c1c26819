-- Stated reasons and root causes each count every churn of a month once, and all its lost MRR.
with events as (
    select
        cast(date_trunc('month', churned_on) as date) as month,
        count(*) as churns,
        sum(mrr_lost_reporting_amount) as mrr_lost
    from {{ ref('fct_churn_events') }}
    group by cast(date_trunc('month', churned_on) as date)
),

kinds as (
    select 'stated' as reason_kind
    union all
    select 'root_cause' as reason_kind
),

reasons as (
    select month, reason_kind, sum(churns) as churns, sum(mrr_lost_reporting_amount) as mrr_lost
    from {{ ref('rpt_churn_reasons') }}
    group by month, reason_kind
)

select
    coalesce(events.month, reasons.month) as month,
    coalesce(kinds.reason_kind, reasons.reason_kind) as reason_kind,
    events.churns,
    reasons.churns as of_reasons
from events
cross join kinds
full outer join reasons
    on events.month = reasons.month and kinds.reason_kind = reasons.reason_kind
where events.churns is distinct from reasons.churns or events.mrr_lost is distinct from reasons.mrr_lost
