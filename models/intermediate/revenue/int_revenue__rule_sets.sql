with steps as (
    select * from {{ ref('int_revenue__rule_steps') }}
),

final as (
    select
        rule_set,
        min(discounts) as discounts,
        min(past_due) as past_due,
        min(auto_churn_days) as auto_churn_days,
        min(paused) as paused,
        min(churn_timing) as churn_timing
    from steps
    group by rule_set
)

select * from final
