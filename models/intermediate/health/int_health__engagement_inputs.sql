{%- set last_contact = 'greatest(observed.first_paid_on, coalesce(touched.last_touched_on, observed.first_paid_on))' -%}
with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

accounts as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'crm'
),

cadences as (
    select * from {{ ref('cadences') }}
),

observed as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        customer_days.tier,
        customer_days.first_paid_on,
        customer_days.tenure_days
    from customer_days
    inner join (select customer_id, source_relation from accounts group by customer_id, source_relation) as sources
        on customer_days.customer_id = sources.customer_id
    inner join {{ ref('int_health__fresh_sources') }} as fresh
        on
            fresh.domain = 'crm'
            and sources.source_relation = fresh.source_relation
            and customer_days.as_of_date >= fresh.valid_from
            and customer_days.as_of_date < fresh.valid_to
    group by customer_days.customer_id, customer_days.as_of_date, customer_days.tier, customer_days.first_paid_on, customer_days.tenure_days
),

touches as (
    select
        accounts.customer_id,
        activities.kind,
        {{ reporting_date('activities.occurred_at') }} as touched_on,
        greatest({{ reporting_date('activities.occurred_at') }}, activities.known_from) as valid_from,
        coalesce(activities.known_until, cast('9999-12-31' as date)) as valid_to
    from {{ ref('int_crm__activities') }} as activities
    inner join accounts on activities.source_relation = accounts.source_relation and activities.account_id = accounts.source_id
),

touched as (
    select
        observed.customer_id,
        observed.as_of_date,
        max(touches.touched_on) as last_touched_on,
        max(case when touches.kind = 'kickoff' then 1 else 0 end)
        + max(case when touches.kind = 'training' then 1 else 0 end) as onboarding_steps
    from observed
    inner join touches
        on
            observed.customer_id = touches.customer_id
            and observed.as_of_date >= touches.valid_from
            and observed.as_of_date < touches.valid_to
    group by observed.customer_id, observed.as_of_date
),

-- A record that says "no longer active" says so from its last change on.
sponsors as (
    select
        observed.customer_id,
        observed.as_of_date,
        max(
            case when contacts.active or observed.as_of_date < {{ reporting_date('contacts.updated_at') }} then 1 else 0 end
        ) as sponsor_active
    from observed
    inner join accounts on observed.customer_id = accounts.customer_id
    inner join {{ ref('int_crm__contacts') }} as contacts
        on
            accounts.source_relation = contacts.source_relation
            and accounts.source_id = contacts.account_id
            and contacts.role in ('executive_sponsor', 'champion')
            and observed.as_of_date >= contacts.known_from
            and (observed.as_of_date < contacts.known_until or contacts.known_until is null)
    group by observed.customer_id, observed.as_of_date
),

final as (
    select
        observed.customer_id,
        observed.as_of_date,
        touched.last_touched_on,
        {{ to_money(
            'cast(' ~ dbt.datediff(last_contact, 'observed.as_of_date', 'day') ~ ' as double) / nullif(cadences.check_in_days, 0)'
        ) }} as touch_ratio,
        sponsors.sponsor_active,
        case
            when cadences.has_onboarding and observed.tenure_days between 30 and 365
                then cast(coalesce(touched.onboarding_steps, 0) * 0.5 as decimal(18,4))
        end as onboarding_steps
    from observed
    inner join cadences on observed.tier = cadences.tier
    left join touched on observed.customer_id = touched.customer_id and observed.as_of_date = touched.as_of_date
    left join sponsors on observed.customer_id = sponsors.customer_id and observed.as_of_date = sponsors.as_of_date
)

select * from final
