-- The days on which a paid year ends (or longer), as we know it now: the end of each recurring line of such a term, less what was credited of it.
-- A term that was replaced before its end (the line and its reversal until the old end) renews nothing.
with lines as (
    select * from {{ ref('int_revenue__line_intervals') }} where known_until is null and months_in_interval >= 12
),

ruled_lines as (
    select * from {{ ref('int_revenue__ruled_lines') }} where rule_set = 0 and known_until is null
),

final as (
    select
        ruled_lines.customer_id,
        lines.period_end_on as renews_on,
        min(case when ruled_lines.monthly_rate > 0 then ruled_lines.active_from end) as term_from,
        cast(sum(ruled_lines.monthly_rate_reporting) as decimal(18,4)) as mrr_reporting_amount
    from ruled_lines
    inner join lines on ruled_lines.source_relation = lines.source_relation and ruled_lines.line_id = lines.line_id
    where ruled_lines.active_from <= {{ as_of_date() }} and ruled_lines.active_until = lines.period_end_on
    group by ruled_lines.customer_id, lines.period_end_on
    having sum(ruled_lines.monthly_rate_reporting) >= 0.005
)

select * from final
