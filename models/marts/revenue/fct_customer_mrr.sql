with intervals as (
    select * from {{ ref('int_revenue__mrr_intervals') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

final as (
    select
        intervals.customer_id,
        intervals.currency,
        intervals.valid_from,
        intervals.valid_to,
        intervals.mrr_amount,
        intervals.mrr_reporting_amount,
        rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from intervals
    cross join rules
    where intervals.mrr_amount > 0
)

select * from final
