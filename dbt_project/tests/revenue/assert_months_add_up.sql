-- Each month of each segment: opening + movements = closing, the opening is the month before's closing, and the segments of a kind add
-- up to all. With nothing left over.
with report as (
    select * from {{ ref('rpt_revenue_retention_monthly') }}
),

chained as (
    select
        report.*,
        lag(closing_mrr) over (partition by segment_kind, segment order by month) as previous_closing
    from report
),

kinds as (
    select
        month,
        segment_kind,
        sum(opening_mrr) as opening_mrr,
        sum(closing_mrr) as closing_mrr
    from report
    group by month, segment_kind
)

select month, segment_kind, segment, 'opening and movements are not the closing' as problem
from chained
where opening_mrr + new_mrr + reactivation_mrr + expansion_mrr + contraction_mrr + churned_mrr + fx_mrr <> closing_mrr
union all
select month, segment_kind, segment, 'the opening is not the closing of the month before' as problem
from chained
where opening_mrr <> coalesce(previous_closing, 0)
union all
select kinds.month, kinds.segment_kind, 'every' as segment, 'the segments do not add up to all' as problem
from kinds
inner join report
    on kinds.month = report.month and report.segment_kind = 'all'
where kinds.opening_mrr <> report.opening_mrr or kinds.closing_mrr <> report.closing_mrr
