with sums as (
    select * from {{ ref('int_retention__segment_months') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

-- Monthly logo churn of the last twelve months that are over; the month to date takes what the month before knew.
pooled as (
    select
        sums.*,
        cast(sum(case when is_complete then lost_customers else 0 end) over last_year as double)
        / nullif(sum(case when is_complete then opening_customers else 0 end) over last_year, 0) as pooled_churn
    from sums
    window last_year as (partition by segment_kind, segment order by month rows between 11 preceding and current row)
),

observed as (
    select
        pooled.*,
        case
            when is_complete then pooled_churn
            else lag(pooled_churn) over (partition by segment_kind, segment order by month)
        end as monthly_churn
    from pooled
),

lifetimes as (
    select
        observed.*,
        rules.definition_version,
        case when rules.same_month_churn = 'counted' then lost_customers + same_month_customers else lost_customers end as churned_customers,
        case
            when monthly_churn is not null
                then coalesce(
                    least(rules.clv_lifetime_cap_years, 1 / nullif(1 - power(1 - monthly_churn, 12), 0)), rules.clv_lifetime_cap_years
                )
        end as lifetime_years
    from observed
    cross join rules
),

final as (
    select
        month,
        segment_kind,
        segment,
        is_complete,
        opening_customers,
        cast(churned_customers as int) as churned_customers,
        same_month_customers,
        closing_customers,
        opening_mrr,
        new_mrr,
        reactivation_mrr,
        expansion_mrr,
        contraction_mrr,
        churn_mrr as churned_mrr,
        fx_mrr,
        closing_mrr,
        cast(churned_customers as double) / nullif(opening_customers, 0) as logo_churn_rate,
        cast(-(churn_mrr + contraction_mrr) as double) / nullif(cast(opening_mrr as double), 0) as gross_mrr_churn_rate,
        cast(-(churn_mrr + contraction_mrr + expansion_mrr + reactivation_mrr) as double)
        / nullif(cast(opening_mrr as double), 0) as net_mrr_churn_rate,
        cast(kept_of_base_1m as double) / nullif(cast(opening_mrr as double), 0) as grr_1m,
        cast(mrr_of_base_1m as double) / nullif(cast(opening_mrr as double), 0) as nrr_1m,
        cast(kept_of_base_12m as double) / nullif(cast(year_before_mrr as double), 0) as grr_12m,
        cast(mrr_of_base_12m as double) / nullif(cast(year_before_mrr as double), 0) as nrr_12m,
        cast(new_mrr + expansion_mrr + reactivation_mrr as double)
        / nullif(cast(-(contraction_mrr + churn_mrr) as double), 0) as quick_ratio,
        {{ to_money('cast(closing_mrr as double) / nullif(closing_customers, 0)') }} as arpa,
        acquisition_cost,
        lifetime_years,
        {{ to_money(
            '(12 * cast(closing_mrr as double) / nullif(closing_customers, 0) * lifetime_years - coalesce(cast(acquisition_cost as double), 0))'
        ) }} as ltv,
        definition_version,
        '{{ var("run_id") }}' as run_id
    from lifetimes
)

select * from final
