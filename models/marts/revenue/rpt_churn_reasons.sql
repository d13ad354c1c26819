with events as (
    select * from {{ ref('fct_churn_events') }}
),

themed as (
    select customer_id, churned_on, mrr_lost_reporting_amount, 'stated' as reason_kind, coalesce(stated_theme, 'not stated') as theme
    from events
    union all
    select customer_id, churned_on, mrr_lost_reporting_amount, 'root_cause' as reason_kind, coalesce(root_cause_theme, 'not stated') as theme
    from events
),

counted as (
    select
        cast(date_trunc('month', churned_on) as date) as month,
        reason_kind,
        theme,
        count(*) as churns,
        count(distinct customer_id) as customers,
        sum(mrr_lost_reporting_amount) as mrr_lost
    from themed
    group by cast(date_trunc('month', churned_on) as date), reason_kind, theme
),

final as (
    select
        month,
        reason_kind,
        theme,
        cast(churns as int) as churns,
        cast(customers as int) as customers,
        cast(mrr_lost as decimal(18,4)) as mrr_lost_reporting_amount,
        cast(churns as double) / sum(churns) over (partition by month, reason_kind) as share_of_churns,
        cast(mrr_lost as double) / nullif(cast(sum(mrr_lost) over (partition by month, reason_kind) as double), 0) as share_of_mrr_lost,
        '{{ var("run_id") }}' as run_id
    from counted
)

select * from final
