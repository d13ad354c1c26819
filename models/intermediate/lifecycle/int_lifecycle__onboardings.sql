{%- set has_product = 'product' in var('present_domains') -%}
-- When each customer's onboarding was complete. Only what a source would show of this customer is asked for: meetings of who is in a CRM and in
-- a tier that gets them (or got a kick-off all the same), use of who was seen in the product. Who is prepared but in no product source,
-- although there is one, has perhaps not begun, perhaps is not seen: unknown.
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
        max(case when threshold = 'onboarding_features' then cast(value as int) end) as onboarding_features,
        max(case when threshold = 'adoption_features' then cast(value as int) end) as adoption_features,
        max(case when threshold = 'adoption_seat_use' then value end) as adoption_seat_use
    from {{ ref('lifecycle_thresholds') }}
),

steps as (
    select
        nodes.customer_id,
        min(case when activities.kind = 'kickoff' then {{ reporting_date('activities.occurred_at') }} end) as kicked_off_on,
        min(case when activities.kind = 'training' then {{ reporting_date('activities.occurred_at') }} end) as trained_on
    from {{ ref('int_identities__nodes') }} as nodes
    left join {{ ref('int_crm__activities') }} as activities
        on
            nodes.source_relation = activities.source_relation
            and nodes.source_id = activities.account_id
            and activities.is_current
            and {{ happened('activities.occurred_at') }} is not null
    where nodes.domain = 'crm'
    group by nodes.customer_id
),

-- The tier in which it began: who grows into one with meetings later has not missed them.
started as (
    select
        customers.customer_id,
        customers.first_paid_on,
        steps.kicked_off_on,
        steps.trained_on,
        cadences.has_onboarding,
        steps.customer_id is not null and (cadences.has_onboarding or steps.kicked_off_on is not null) as is_meeting_expected
    from customers
    left join steps on customers.customer_id = steps.customer_id
    inner join {{ ref('int_health__tiers_as_seen') }} as tiers
        on
            customers.customer_id = tiers.customer_id
            and customers.first_paid_on >= tiers.valid_from
            and (customers.first_paid_on < tiers.valid_to or tiers.valid_to is null)
    inner join {{ ref('cadences') }} as cadences on tiers.tier = cadences.tier
),

prepared as (
    select
        *,
        case
            when not is_meeting_expected then first_paid_on
            when kicked_off_on is not null and trained_on is not null then greatest(first_paid_on, kicked_off_on, trained_on)
        end as prepared_on
    from started
),

used as (
    select
        prepared.customer_id,
        min(case when days.features_28d >= thresholds.onboarding_features and days.as_of_date >= prepared.prepared_on
            then days.as_of_date end) as used_on,
        min(case when days.features_28d >= thresholds.adoption_features
            and cast(days.active_users_28d as double) >= thresholds.adoption_seat_use * cast(days.seats as double)
            then days.as_of_date end) as broadly_used_on
    from prepared
    inner join {{ ref('int_health__daily') }} as days
        on prepared.customer_id = days.customer_id and days.as_of_date >= prepared.first_paid_on
    cross join thresholds
    where days.is_product_observed and days.as_of_date <= {{ as_of_date() }}
    group by prepared.customer_id
),

-- Days of health are kept for some years: whoever began before them cannot be told a day of use.
judged as (
    select
        prepared.*,
        used.customer_id is not null as is_use_expected,
        {{ health_is_kept('prepared.first_paid_on', 91) }} as is_history_kept,
        used.used_on,
        used.broadly_used_on
    from prepared
    left join used on prepared.customer_id = used.customer_id
),

final as (
    select
        judged.customer_id,
        judged.first_paid_on, judged.kicked_off_on, judged.trained_on,
        case when judged.is_history_kept then judged.broadly_used_on end as broadly_used_on,
        case
            when judged.is_use_expected
                then case when judged.is_history_kept
                    then coalesce(judged.used_on, case when not judged.has_onboarding then judged.broadly_used_on end) end
            {%- if not has_product %}
            when judged.is_meeting_expected then judged.prepared_on
            {%- endif %}
        end as completed_on,
        judged.first_paid_on + thresholds.onboarding_days as due_on,
        judged.is_meeting_expected, judged.is_use_expected, judged.is_history_kept,
        case
            when judged.is_use_expected then judged.is_history_kept
            else judged.is_meeting_expected {{ 'and judged.prepared_on is null' if has_product }}
        end as is_judged
    from judged
    cross join thresholds
)

select * from final
