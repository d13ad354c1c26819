-- The days on which a paid year ends (or longer): the end of each recurring line of such a term, as we know it now.
with lines as (
    select * from {{ ref('int_revenue__line_intervals') }} where known_until is null and months_in_interval >= 12
),

active_lines as (
    select * from {{ ref('int_revenue__active_lines') }} where known_until is null
),

final as (
    select
        active_lines.customer_id,
        lines.period_end_on as renews_on,
        min(case when active_lines.monthly_rate > 0 then active_lines.active_from end) as term_from,
        cast(sum(active_lines.monthly_rate_reporting) as decimal(18,4)) as mrr_reporting_amount
    from active_lines
    inner join lines on active_lines.source_relation = lines.source_relation and active_lines.line_id = lines.line_id
    where active_lines.active_from <= {{ as_of_date() }} and active_lines.active_until = lines.period_end_on
    group by active_lines.customer_id, lines.period_end_on
    having count(case when active_lines.monthly_rate > 0 then 1 end) > 0
)

select * from final
