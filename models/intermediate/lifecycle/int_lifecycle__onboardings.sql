{#- What a domain that is not there would prove is not asked for; without both there is no proof and the days decide. -#}
{%- set has_crm = 'crm' in var('present_domains') -%}
{%- set has_product = 'product' in var('present_domains') -%}
with customers as (
    select
        customer_id,
        min(valid_from) as first_paid_on
    from {{ ref('int_lifecycle__paying') }}
    group by customer_id
),

thresholds as (
    select
        max(case when threshold = 'onboarding_days' then cast(value as int) end) as onboarding_days,
        max(case when threshold = 'onboarding_features' then cast(value as int) end) as onboarding_features
    from {{ ref('lifecycle_thresholds') }}
),

steps as (
    select
        nodes.customer_id,
        min(case when activities.kind = 'kickoff' then {{ reporting_date('activities.occurred_at') }} end) as kicked_off_on,
        min(case when activities.kind = 'training' then {{ reporting_date('activities.occurred_at') }} end) as trained_on
    from {{ ref('int_crm__activities') }} as activities
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and activities.source_relation = nodes.source_relation and activities.account_id = nodes.source_id
    where activities.is_current and {{ happened('activities.occurred_at') }} is not null
    group by nodes.customer_id
),

started as (
    select
        customers.customer_id,
        customers.first_paid_on,
        steps.kicked_off_on,
        steps.trained_on,
        {% if has_crm -%}
        case
            when steps.kicked_off_on is not null and steps.trained_on is not null
                then greatest(customers.first_paid_on, steps.kicked_off_on, steps.trained_on)
        end as prepared_on
        {%- else -%}
        customers.first_paid_on as prepared_on
        {%- endif %}
    from customers
    left join steps on customers.customer_id = steps.customer_id
),

used as (
    select
        started.customer_id,
        min(days.as_of_date) as used_on
    from started
    inner join {{ ref('int_health__daily') }} as days
        on started.customer_id = days.customer_id and days.as_of_date >= started.prepared_on
    cross join thresholds
    where days.features_28d >= thresholds.onboarding_features and days.as_of_date <= {{ as_of_date() }}
    group by started.customer_id
),

final as (
    select
        started.customer_id,
        started.first_paid_on,
        started.kicked_off_on,
        started.trained_on,
        {{ 'used.used_on' if has_product else 'started.prepared_on' if has_crm else 'cast(null as date)' }} as completed_on,
        started.first_paid_on + thresholds.onboarding_days as due_on
    from started
    cross join thresholds
    left join used on started.customer_id = used.customer_id
)

select * from final
