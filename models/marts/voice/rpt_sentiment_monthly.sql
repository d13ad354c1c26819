with answers as (
    select
        *,
        cast(date_trunc('month', responded_on) as date) as month
    from {{ ref('fct_survey_responses') }}
    where is_counted
),

segmented as (
    select month, 'all' as segment_kind, 'all' as segment, kind, score, nps_group, is_satisfied from answers
    union all
    select month, 'tier', coalesce(tier, 'unknown'), kind, score, nps_group, is_satisfied from answers
    union all
    select month, 'customer', customer_id, kind, score, nps_group, is_satisfied from answers where customer_id is not null
),

counted as (
    select
        month,
        segment_kind,
        segment,
        sum(case when kind = 'nps' then 1 else 0 end) as nps_answers,
        sum(case when nps_group = 'promoter' then 1 else 0 end) as promoters,
        sum(case when nps_group = 'passive' then 1 else 0 end) as passives,
        sum(case when nps_group = 'detractor' then 1 else 0 end) as detractors,
        sum(case when kind = 'csat' then 1 else 0 end) as csat_answers,
        sum(case when is_satisfied then 1 else 0 end) as satisfied,
        sum(case when kind = 'ces' then 1 else 0 end) as ces_answers,
        sum(case when kind = 'ces' then score end) as ces_total
    from segmented
    group by month, segment_kind, segment
),

final as (
    select
        month,
        cast(segment_kind as string) as segment_kind,
        cast(segment as string) as segment,
        cast(nps_answers as bigint) as nps_answers,
        cast(promoters as bigint) as promoters,
        cast(passives as bigint) as passives,
        cast(detractors as bigint) as detractors,
        {{ nps('promoters', 'detractors', 'nps_answers') }} as nps,
        {{ nps_bound('low', 'promoters', 'detractors', 'nps_answers') }} as nps_low,
        {{ nps_bound('high', 'promoters', 'detractors', 'nps_answers') }} as nps_high,
        cast(csat_answers as bigint) as csat_answers,
        {{ to_money('cast(satisfied as double) / nullif(csat_answers, 0)') }} as csat,
        cast(ces_answers as bigint) as ces_answers,
        {{ to_money('ces_total / nullif(ces_answers, 0)') }} as ces_mean,
        cast('{{ var("run_id") }}' as string) as run_id
    from counted
)

select * from final
