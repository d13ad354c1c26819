with months as (
    select * from {{ ref('int_revenue__months') }}
),

states as (
    select * from {{ ref('int_revenue__month_states') }}
),

customers as (
    select * from {{ ref('int_revenue__customer_segments') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

segmented as (
    select states.*, customers.segment_kind, customers.segment
    from states
    inner join customers
        on states.customer_id = customers.customer_id
    union all
    select states.*, 'currency' as segment_kind, states.currency as segment
    from states
),

per_customer as (
    select
        month,
        segment_kind,
        segment,
        customer_id,
        sum(opening_mrr) as opening_mrr,
        sum(closing_mrr) as closing_mrr,
        sum(year_before_mrr) as year_before_mrr,
        sum(new_mrr) as new_mrr,
        sum(reactivation_mrr) as reactivation_mrr,
        sum(expansion_mrr) as expansion_mrr,
        sum(contraction_mrr) as contraction_mrr,
        sum(churn_mrr) as churned_mrr,
        sum(fx_mrr) as fx_mrr
    from segmented
    group by month, segment_kind, segment, customer_id
),

segments as (
    select segment_kind, segment
    from segmented
    group by segment_kind, segment
),

-- Every month of every segment, also one in which nobody paid.
summed as (
    select
        months.month,
        months.is_complete,
        segments.segment_kind,
        segments.segment,
        cast(count(case when opening_mrr > 0 then 1 end) as int) as opening_customers,
        cast(count(case when closing_mrr > 0 then 1 end) as int) as closing_customers,
        cast(count(case when opening_mrr > 0 and closing_mrr = 0 then 1 end) as int) as churned_customers,
        {% for amount in ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churned', 'fx', 'closing', 'year_before'] -%}
        cast(coalesce(sum({{ amount }}_mrr), 0) as decimal(18,4)) as {{ amount }}_mrr,
        {% endfor -%}
        cast(coalesce(sum(case when year_before_mrr > 0 then closing_mrr end), 0) as double) as mrr_of_base,
        cast(coalesce(sum(case when year_before_mrr > 0 then least(closing_mrr, year_before_mrr) end), 0) as double) as mrr_kept_of_base
    from months
    cross join segments
    left join per_customer
        on months.month = per_customer.month
            and segments.segment_kind = per_customer.segment_kind
            and segments.segment = per_customer.segment
    group by months.month, months.is_complete, segments.segment_kind, segments.segment
),

final as (
    select
        month,
        segment_kind,
        segment,
        is_complete,
        opening_customers,
        churned_customers,
        closing_customers,
        opening_mrr,
        new_mrr,
        reactivation_mrr,
        expansion_mrr,
        contraction_mrr,
        churned_mrr,
        fx_mrr,
        closing_mrr,
        cast(churned_customers as double) / nullif(opening_customers, 0) as logo_churn_rate,
        cast(-(churned_mrr + contraction_mrr) as double) / nullif(cast(opening_mrr as double), 0) as gross_mrr_churn_rate,
        cast(-(churned_mrr + contraction_mrr + expansion_mrr + reactivation_mrr) as double)
        / nullif(cast(opening_mrr as double), 0) as net_mrr_churn_rate,
        mrr_kept_of_base / nullif(cast(year_before_mrr as double), 0) as grr_12m,
        mrr_of_base / nullif(cast(year_before_mrr as double), 0) as nrr_12m,
        cast(new_mrr + expansion_mrr + reactivation_mrr as double)
        / nullif(cast(-(contraction_mrr + churned_mrr) as double), 0) as quick_ratio,
        {{ to_money('cast(closing_mrr as double) / nullif(closing_customers, 0)') }} as arpa,
        rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from summed
    cross join rules
)

select * from final
