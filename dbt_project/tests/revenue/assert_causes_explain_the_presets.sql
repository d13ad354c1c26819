-- In each month and preset the causes add up to the difference between the preset and what is in force, each cause's movements to its change of
-- closing MRR, what is in force is what is published, and a preset's opening is its closing of the month before. With nothing left over.
{% set movements = ['new', 'reactivation', 'expansion', 'contraction', 'churned', 'fx'] %}
with comparison as (
    select * from {{ ref('rpt_mrr_rule_comparison') }}
),

published as (
    select * from {{ ref('rpt_revenue_retention_monthly') }}
    where segment_kind = 'all'
),

summed as (
    select
        month,
        preset,
        min(mrr_in_force) as mrr_in_force,
        min(mrr_of_preset) as mrr_of_preset,
        sum(mrr_difference) as mrr_difference,
        sum(opening_mrr_difference) as opening_mrr_difference,
        min(churned_customers_in_force) as churned_in_force,
        min(churned_customers_of_preset) as churned_of_preset,
        sum(churned_customers_difference) as churned_difference
    from comparison
    group by month, preset
),

chained as (
    select
        summed.*,
        lag(mrr_of_preset) over (partition by preset order by month) as previous_mrr_of_preset,
        lag(mrr_in_force) over (partition by preset order by month) as previous_mrr_in_force
    from summed
)

select month, preset, 'the causes are not the difference' as problem
from summed
where mrr_in_force + mrr_difference <> mrr_of_preset or churned_in_force + churned_difference <> churned_of_preset
union all
select month, preset, 'opening and movements are not the closing' as problem
from comparison
where opening_mrr_difference{% for movement in movements %} + {{ movement }}_mrr_difference{% endfor %} <> mrr_difference
union all
select month, preset, 'the opening is not the closing of the month before' as problem
from chained
where opening_mrr_difference <> coalesce(previous_mrr_of_preset - previous_mrr_in_force, 0)
union all
select chained.month, chained.preset, 'what is in force is not what is published' as problem
from chained
left join published
    on chained.month = published.month
where
    chained.mrr_in_force is distinct from published.closing_mrr
    or chained.churned_in_force is distinct from published.churned_customers
