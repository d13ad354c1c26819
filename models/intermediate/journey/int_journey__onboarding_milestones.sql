-- What has happened on the way in, one row per customer that ever paid. Before the first payment nothing counts but kick-off and training.
with onboardings as (
    select * from {{ ref('int_lifecycle__onboardings') }}
),

rules as (
    select value as core_features from {{ ref('journey_rules') }} where rule = 'first_value_core_features'
),

used as (
    select
        onboardings.customer_id,
        min(case when days.last_used_on >= onboardings.first_paid_on then days.last_used_on end) as first_used_on,
        min(case when days.core_features_28d >= rules.core_features then days.as_of_date end) as core_used_on
    from onboardings
    inner join {{ ref('int_health__daily') }} as days
        on onboardings.customer_id = days.customer_id and days.as_of_date >= onboardings.first_paid_on
    cross join rules
    where onboardings.is_history_kept and days.as_of_date <= {{ as_of_date() }}
    group by onboardings.customer_id
),

accounts as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'crm'
),

goals as (
    select
        accounts.customer_id,
        min({{ reporting_date('goals.achieved_at') }}) as achieved_on
    from {{ ref('int_crm__success_goals') }} as goals
    inner join accounts on goals.source_relation = accounts.source_relation and goals.account_id = accounts.source_id
    inner join onboardings
        on accounts.customer_id = onboardings.customer_id and {{ reporting_date('goals.achieved_at') }} >= onboardings.first_paid_on
    where goals.is_current and {{ reporting_date('goals.achieved_at') }} <= {{ as_of_date() }}
    group by accounts.customer_id
),

sponsors as (
    select
        accounts.customer_id,
        max(case when contacts.active then 1 else 0 end) = 1 as has_sponsor
    from accounts
    left join {{ ref('int_crm__contacts') }} as contacts
        on
            accounts.source_relation = contacts.source_relation
            and accounts.source_id = contacts.account_id
            and contacts.is_current
            and contacts.role in ('executive_sponsor', 'champion')
    group by accounts.customer_id
),

tickets as (
    select
        onboardings.customer_id,
        count(*) as early_tickets
    from onboardings
    inner join {{ ref('int_support_tickets__customers') }} as customers
        on onboardings.customer_id = customers.customer_id and customers.is_current
    inner join {{ ref('int_support_tickets__milestones') }} as milestones
        on
            customers.source_relation = milestones.source_relation
            and customers.ticket_id = milestones.ticket_id
            and {{ reporting_date('milestones.created_at') }} between onboardings.first_paid_on and onboardings.first_paid_on + 27
            and {{ reporting_date('milestones.created_at') }} <= {{ as_of_date() }}
    group by onboardings.customer_id
),

final as (
    select
        onboardings.customer_id,
        onboardings.first_paid_on,
        onboardings.kicked_off_on,
        onboardings.trained_on,
        used.first_used_on,
        case when onboardings.is_history_kept then least(used.core_used_on, goals.achieved_on) end as first_value_on,
        onboardings.broadly_used_on,
        onboardings.completed_on,
        onboardings.is_meeting_expected,
        onboardings.is_use_expected,
        onboardings.is_history_kept,
        onboardings.is_judged,
        sponsors.has_sponsor,
        {{ 'coalesce(tickets.early_tickets, 0)' if 'support' in var('present_domains') else 'cast(null as bigint)' }} as early_tickets
    from onboardings
    left join used on onboardings.customer_id = used.customer_id
    left join goals on onboardings.customer_id = goals.customer_id
    left join sponsors on onboardings.customer_id = sponsors.customer_id
    left join tickets on onboardings.customer_id = tickets.customer_id
)

select * from final
