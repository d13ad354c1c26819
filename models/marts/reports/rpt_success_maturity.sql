{%- set capabilities = ['promises_kept', 'health_known', 'touched_in_cadence', 'outcomes_measured', 'net_retention'] -%}
-- How far we have come, measured on the last day of each month, of the running one on as_of_date. What cannot be measured is not reached.
with payers as (
    select
        cast(date_trunc('month', as_of_date) as date) as month,
        max(as_of_date) as closes_on,
        count(*) as paying_customers,
        cast(count(score_points) as double) / count(*) as health_known,
        cast(count(case when touch_ratio <= 1 then 1 end) as double) / nullif(count(touch_ratio), 0) as touched_in_cadence,
        case when max(outcomes_points) is not null then cast(count(outcomes_points) as double) / count(*) end as outcomes_measured
    from {{ ref('int_health__daily') }}
    where as_of_date <= {{ as_of_date() }} and (as_of_date = last_day(as_of_date) or as_of_date = {{ as_of_date() }})
    group by cast(date_trunc('month', as_of_date) as date)
),

-- As in rpt_support_monthly: the clock of a promise stops with the reply or the solution, and what still waits within it is not decided.
tickets as (
    select
        cast(date_trunc('month', {{ reporting_date('created_at') }}) as date) as month,
        cast(count(case when not is_sla_breached then 1 end) as double) / nullif(count(is_sla_breached), 0) as promises_kept
    from {{ ref('fct_tickets') }}
    where is_sla_breached or first_replied_at is not null or resolved_at is not null
    group by cast(date_trunc('month', {{ reporting_date('created_at') }}) as date)
),

retention as (
    select month, cast(nrr_12m as double) as net_retention
    from {{ ref('rpt_revenue_retention_monthly') }}
    where segment_kind = 'all'
),

measured as (
    select
        payers.*,
        tickets.promises_kept,
        retention.net_retention
    from payers
    left join tickets on payers.month = tickets.month
    left join retention on payers.month = retention.month
),

steps as (
    select
        measured.month,
        maturity.level,
        maturity.focus_metric,
        maturity.capability,
        coalesce(case maturity.capability
            {%- for capability in capabilities %}
            when '{{ capability }}' then measured.{{ capability }}
            {%- endfor %}
        end >= maturity.threshold, false) as is_reached,
        row_number() over (partition by measured.month order by maturity.rank) as step_number
    from measured
    cross join {{ ref('success_maturity') }} as maturity
),

-- Steps are counted: the seed's ranks may have gaps and end where its owner likes.
first_gaps as (
    select
        month,
        coalesce(min(case when not is_reached then step_number end), max(step_number) + 1) as gap_number
    from steps
    group by month
),

final as (
    select
        measured.month,
        measured.closes_on,
        measured.closes_on = last_day(measured.closes_on) as is_complete,
        measured.paying_customers,
        {%- for capability in capabilities %}
        {{ to_money('measured.' ~ capability) }} as {{ capability }},
        {%- endfor %}
        cast(coalesce(reached.level, 'reactive') as string) as level,
        cast(first_gaps.gap_number - 1 as bigint) as level_number,
        cast(gaps.capability as string) as focus_capability,
        cast(gaps.focus_metric as string) as focus_metric,
        cast('{{ var("run_id") }}' as string) as run_id
    from measured
    inner join first_gaps on measured.month = first_gaps.month
    left join steps as gaps on first_gaps.month = gaps.month and first_gaps.gap_number = gaps.step_number
    left join steps as reached on first_gaps.month = reached.month and first_gaps.gap_number - 1 = reached.step_number
)

select * from final
