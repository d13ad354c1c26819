-- The days on which a paid year ends (or longer): the end of each recurring line of such a term, as we know it now.
with lines as (
    select * from {{ ref('int_revenue__line_intervals') }} where known_until is null and months_in_interval >= 12
),

active_lines as (
    select * from {{ ref('int_revenue__active_lines') }} where known_until is null and monthly_rate > 0
),

final as (
    select
        active_lines.customer_id,
        lines.period_end_on as renews_on,
        min(active_lines.active_from) as term_from
    from active_lines
    inner join lines on active_lines.source_relation = lines.source_relation and active_lines.line_id = lines.line_id
    where active_lines.active_from <= {{ as_of_date() }} and active_lines.active_until = lines.period_end_on
    group by active_lines.customer_id, lines.period_end_on
)

select * from final
