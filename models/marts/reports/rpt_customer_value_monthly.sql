{%- set has_support = 'support' in var('present_domains') -%}
-- What a customer can be shown of a month: nothing in it is our opinion of the customer. One row for each month in which it paid on the last day.
with months as (
    select
        *,
        cast(date_trunc('month', as_of_date) as date) as month
    from {{ ref('fct_adoption_daily') }}
    where as_of_date = last_day(as_of_date) or as_of_date = {{ as_of_date() }}
),

goals as (
    select
        customer_id,
        cast(date_trunc('month', achieved_on) as date) as month,
        count(achieved_on) as achieved,
        sum(case when achieved_on is not null then value_realized_reporting_amount end) as value_realized
    from {{ ref('fct_success_goals') }}
    group by customer_id, cast(date_trunc('month', achieved_on) as date)
),

billed as (
    select
        customer_id,
        cast(date_trunc('month', booked_on) as date) as month,
        sum(net_reporting_amount) as billed
    from {{ ref('fct_revenue') }}
    where kind <> 'tax'
    group by customer_id, cast(date_trunc('month', booked_on) as date)
),

-- A customer without a success plan has no goals that could be achieved, which is not the same as achieving none.
achieved as (
    select
        months.customer_id,
        months.month,
        sum(case when goals.month = months.month then goals.achieved else 0 end) as goals_achieved,
        sum(case when goals.month <= months.month then goals.achieved else 0 end) as goals_achieved_to_date,
        sum(case when goals.month <= months.month then goals.value_realized end) as value_to_date
    from months
    inner join goals on months.customer_id = goals.customer_id
    group by months.customer_id, months.month
),

paid as (
    select
        months.customer_id,
        months.month,
        sum(billed.billed) as billed_to_date
    from months
    inner join billed on months.customer_id = billed.customer_id and billed.month <= months.month
    group by months.customer_id, months.month
),

opened as (
    select
        customer_id,
        cast(date_trunc('month', {{ reporting_date('created_at') }}) as date) as month,
        count(*) as tickets_opened,
        count(resolved_at) as tickets_solved,
        avg(cast(first_reply_minutes as double)) as first_reply_minutes,
        avg(cast(satisfaction_score as double)) as satisfaction_score
    from {{ ref('fct_tickets') }}
    where customer_id is not null
    group by customer_id, cast(date_trunc('month', {{ reporting_date('created_at') }}) as date)
),

final as (
    select
        months.customer_id,
        months.month,
        months.as_of_date as closes_on,
        months.as_of_date = last_day(months.as_of_date) as is_complete,
        months.seats,
        months.active_users_28d,
        months.active_users_28d - before.active_users_28d as active_users_change,
        months.licence_use,
        months.features_28d,
        months.stickiness,
        cast(achieved.goals_achieved as bigint) as goals_achieved,
        cast(achieved.goals_achieved_to_date as bigint) as goals_achieved_to_date,
        cast(achieved.value_to_date as decimal(18,4)) as value_to_date_reporting_amount,
        cast(paid.billed_to_date as decimal(18,4)) as billed_to_date_reporting_amount,
        case
            when paid.billed_to_date > 0 then {{ to_money('cast(achieved.value_to_date as double) / cast(paid.billed_to_date as double)') }}
        end as roi_to_date,
        {%- for count in ['tickets_opened', 'tickets_solved'] %}
        {{ 'coalesce(opened.' ~ count ~ ', 0)' if has_support else 'cast(null as bigint)' }} as {{ count }},
        {%- endfor %}
        {{ to_money('opened.first_reply_minutes') }} as first_reply_minutes,
        {{ to_money('opened.satisfaction_score') }} as satisfaction_score,
        cast(case
            when months.active_users_28d is null then months.unmeasured_because
            when achieved.customer_id is null then 'no success plan'
            when achieved.value_to_date is null then 'no goal with a value is achieved yet'
            when coalesce(paid.billed_to_date, 0) <= 0 then 'nothing was billed'
        end as string) as unmeasured_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from months
    left join months as before
        on months.customer_id = before.customer_id and before.month = cast({{ dbt.dateadd('month', -1, 'months.month') }} as date)
    left join achieved on months.customer_id = achieved.customer_id and months.month = achieved.month
    left join paid on months.customer_id = paid.customer_id and months.month = paid.month
    left join opened on months.customer_id = opened.customer_id and months.month = opened.month
)

select * from final
