-- The one plan that stands for a customer in reports by plan: the largest by revenue on the last day on which it paid. A plan of which all
-- was taken back, by a credit note or for a change in mid-period, earned nothing.
with lines as (
    select * from {{ ref('int_revenue__ruled_lines') }}
    where rule_set = 0
        and known_from <= {{ as_of_date() }} and (known_until is null or known_until > {{ as_of_date() }})
        and active_from <= {{ as_of_date() }} and plan_id is not null
),

plans as (
    select * from {{ ref('int_billing__plans') }}
    where is_current
),

-- Lines that were active on the customer's last day: their last day is the same, at most as_of_date.
dated as (
    select
        customer_id,
        source_relation,
        plan_id,
        monthly_rate_reporting,
        least(active_until, cast({{ dbt.dateadd('day', 1, as_of_date()) }} as date)) as ends_on
    from lines
),

per_plan as (
    select
        customer_id,
        source_relation,
        plan_id,
        ends_on,
        sum(monthly_rate_reporting) as mrr
    from dated
    group by customer_id, source_relation, plan_id, ends_on
    having sum(monthly_rate_reporting) >= 0.005
),

ranked as (
    select
        per_plan.*,
        row_number() over (
            partition by customer_id order by ends_on desc nulls last, mrr desc nulls last, source_relation, plan_id
        ) as place
    from per_plan
),

final as (
    select
        ranked.customer_id,
        ranked.source_relation,
        ranked.plan_id,
        coalesce(plans.plan_name, plans.product_name, ranked.plan_id) as plan_name
    from ranked
    left join plans
        on ranked.source_relation = plans.source_relation
            and ranked.plan_id = plans.plan_id
    where ranked.place = 1
)

select * from final
