-- The exit interview of each churn: of those within the window the nearest in time, one with a reason before one without. An interview
-- between two churns of a customer is about the nearer one.
with endings as (
    select * from {{ ref('int_churn__endings') }}
),

activities as (
    select
        source_relation,
        activity_id,
        account_id,
        {{ reporting_date('occurred_at') }} as interviewed_on,
        {{ clean_code('stated_reason') }} as stated_reason,
        {{ clean_code('root_cause') }} as root_cause
    from {{ ref('int_crm__activities') }}
    where is_current and kind = 'exit_interview' and {{ reporting_date('occurred_at') }} <= {{ as_of_date() }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'crm'
),

rules as (
    select
        max(case when rule = 'interview_days_before' then cast(value as int) end) as days_before,
        max(case when rule = 'interview_days_after' then cast(value as int) end) as days_after
    from {{ ref('churn_rules') }}
),

near as (
    select
        endings.customer_id,
        endings.churned_on,
        activities.source_relation,
        activities.activity_id,
        activities.interviewed_on,
        activities.stated_reason,
        activities.root_cause,
        abs({{ dbt.datediff('endings.churned_on', 'activities.interviewed_on', 'day') }}) as days_apart
    from activities
    inner join nodes
        on activities.source_relation = nodes.source_relation
            and activities.account_id = nodes.source_id
    inner join endings
        on nodes.customer_id = endings.customer_id
    cross join rules
    where activities.interviewed_on between endings.churned_on - rules.days_before and endings.churned_on + rules.days_after
),

assigned as (
    select * from near
    qualify row_number() over (partition by source_relation, activity_id order by days_apart, churned_on) = 1
),

final as (
    select
        customer_id,
        churned_on,
        interviewed_on,
        stated_reason,
        root_cause
    from assigned
    qualify row_number() over (
        partition by customer_id, churned_on
        order by case when root_cause is null and stated_reason is null then 1 else 0 end, days_apart, interviewed_on, activity_id
    ) = 1
)

select * from final
