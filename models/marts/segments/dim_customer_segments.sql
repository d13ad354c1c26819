{%- set windows = {'revenue_12m_amount': (-12, 0), 'revenue_3m_amount': (-3, 0), 'revenue_prior_3m_amount': (-6, -3)} -%}
{%- set rules = ['contribution_share', 'activity_top_share', 'growing_from', 'promoter_score'] -%}
-- Billing counts on the days that it is for; what has no period on its own day. A line of 0, such as that of a trial, is no revenue, and no tax is.
with billed as (
    select
        customer_id,
        net_reporting_amount,
        coalesce(period_start_on, booked_on) as earned_from,
        case when period_end_on > period_start_on then period_end_on else coalesce(period_start_on, booked_on) + 1 end as earned_until
    from {{ ref('fct_revenue') }}
    where net_reporting_amount <> 0 and booked_on <= {{ as_of_date() }}
),

revenue as (
    select
        customer_id
        {%- for name, (first, last) in windows.items() %}
        {%- set from_on = "greatest(earned_from, cast(" ~ dbt.dateadd('month', first, '(' ~ as_of_date() ~ ' + 1)') ~ " as date))" %}
        {%- set until_on = "least(earned_until, cast(" ~ dbt.dateadd('month', last, '(' ~ as_of_date() ~ ' + 1)') ~ " as date))" %},
        coalesce({{ to_money(
            'sum(cast(net_reporting_amount as double) * greatest(0, ' ~ dbt.datediff(from_on, until_on, 'day') ~ ') / '
            ~ dbt.datediff('earned_from', 'earned_until', 'day') ~ ')'
        ) }}, 0) as {{ name }}
        {%- endfor %}
    from billed
    group by customer_id
),

left_ones as (
    select customer_id from {{ ref('int_lifecycle__paying') }} group by customer_id having max(valid_to) <= {{ as_of_date() }}
),

measured as (
    select
        tiers.customer_id, tiers.tier, tiers.touch_model, cadences.check_in_days,
        revenue.revenue_12m_amount, revenue.revenue_3m_amount, revenue.revenue_prior_3m_amount,
        activity.basis, activity.last_active_on, activity.frequency, activity.is_active,
        left_ones.customer_id is not null as has_left,
        left_ones.customer_id is null and coalesce(revenue.revenue_12m_amount, 0) > 0 as is_valued,
        revenue.customer_id is not null and activity.frequency is not null as is_ranked,
        rules.*,
        health.nps_mean >= rules.promoter_score as is_promoter,
        revenue.revenue_prior_3m_amount > 0
        and revenue.revenue_3m_amount >= rules.growing_from * revenue.revenue_prior_3m_amount as is_growing,
        case
            when revenue.customer_id is null then {{ "'no revenue yet'" if 'billing' in var('present_domains') else "'no billing source'" }}
            when activity.customer_id is null then 'no source knows its activity'
            when activity.unknown_because is not null then activity.unknown_because
            when revenue.revenue_12m_amount <= 0 then 'no revenue in 12 months'
        end as unsegmented_because
    from {{ ref('int_customers__tiers') }} as tiers
    inner join {{ ref('cadences') }} as cadences on tiers.tier = cadences.tier
    cross join (
        select {% for rule in rules %}max(case when rule = '{{ rule }}' then value end) as {{ rule }}{{ ', ' if not loop.last }}{% endfor %}
        from {{ ref('journey_rules') }}
    ) as rules
    left join revenue on tiers.customer_id = revenue.customer_id
    left join {{ ref('int_segments__activity') }} as activity on tiers.customer_id = activity.customer_id
    left join left_ones on tiers.customer_id = left_ones.customer_id
    left join {{ ref('int_health__daily') }} as health
        on tiers.customer_id = health.customer_id and health.as_of_date = {{ as_of_date() }}
),

-- Equal values share the best quintile among them, so nobody's is a matter of chance and who was here today is recent.
ranked as (
    select
        *,
        {%- for quintile, value in {'recency': 'last_active_on', 'frequency': 'frequency', 'monetary': 'revenue_12m_amount'}.items() %}
        case when is_ranked then cast(ceil(
            5 * (count(*) over (partition by is_ranked, basis) + 1
                - rank() over (partition by is_ranked, basis order by {{ value }} desc nulls last))
            / cast(count(*) over (partition by is_ranked, basis) as double)
        ) as bigint) end as {{ quintile }}_quintile,
        {%- endfor %}
        case
            when not is_valued then null
            when rank() over (partition by is_valued order by revenue_12m_amount desc)
                <= ceil(contribution_share * count(*) over (partition by is_valued)) then 'high'
            else 'low'
        end as contribution,
        -- Who is active, nobody knows how often, is unknown here and takes nobody's place.
        is_active and not has_left and case
            when frequency is not null then rank() over (partition by is_active, has_left, basis order by frequency desc nulls last)
                <= ceil(activity_top_share * count(frequency) over (partition by is_active, has_left, basis))
        end as is_top_active
    from measured
),

final as (
    select
        cast(ranked.customer_id as string) as customer_id,
        {{ as_of_date() }} as as_of_date,
        ranked.tier, ranked.touch_model,
        cast(ranked.check_in_days as bigint) as check_in_days,
        {%- for name in windows %}
        cast(ranked.{{ name }} as decimal(18,4)) as {{ name }},
        {%- endfor %}
        cast(ranked.basis as string) as activity_basis,
        ranked.last_active_on,
        cast(ranked.frequency as bigint) as frequency,
        ranked.is_active,
        ranked.recency_quintile, ranked.frequency_quintile, ranked.monetary_quintile,
        cast(labels.label as string) as rfm_label,
        cast(ranked.contribution as string) as contribution,
        cast(ranked.contribution || case when ranked.is_active then '_active' when not ranked.is_active then '_inactive' end as string)
            as value_segment,
        ranked.contribution = 'high' and not ranked.is_active as is_code_red,
        ranked.is_top_active, ranked.is_growing, ranked.is_promoter,
        -- A promoter who refers others is one too, but no source says who refers: of promoters it is unknown.
        not ranked.has_left and ((ranked.is_top_active and ranked.is_growing) or nullif(coalesce(ranked.is_promoter, false), true)) as is_evangelist,
        cast(case when ranked.has_left then 'has left' else ranked.unsegmented_because end as string) as unsegmented_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from ranked
    left join {{ ref('rfm_labels') }} as labels
        on
            ranked.recency_quintile = labels.recency_quintile
            and cast(floor((ranked.frequency_quintile + ranked.monetary_quintile + 1) * 0.5) as bigint) = labels.value_quintile
)

select * from final
