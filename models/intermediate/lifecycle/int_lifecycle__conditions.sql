{%- set forever = "cast('9999-12-31' as date)" -%}
with thresholds as (
    select
        {%- for name in ['won_back_days', 'past_due_days', 'renewal_days', 'expansion_days', 'adoption_features'] %}
        max(case when threshold = '{{ name }}' then cast(value as int) end) as {{ name }},
        {%- endfor %}
        max(case when threshold = 'adoption_seat_use' then value end) as adoption_seat_use
    from {{ ref('lifecycle_thresholds') }}
),

paying as (
    select * from {{ ref('int_lifecycle__paying') }}
),

onboardings as (
    select * from {{ ref('int_lifecycle__onboardings') }}
),

bands as (
    select min(min_score) * 100 as healthy_from_points from {{ ref('health_bands') }} where band <> 'red'
),

daily as (
    select
        days.customer_id,
        days.as_of_date,
        days.score_points < bands.healthy_from_points as is_red,
        coalesce(days.is_product_observed, false) and (
            days.features_28d < thresholds.adoption_features
            or coalesce(cast(days.active_users_28d as double) < thresholds.adoption_seat_use * cast(days.seats as double), false)
        ) as is_adopting
    from {{ ref('int_health__daily') }} as days
    cross join bands
    cross join thresholds
    where days.as_of_date <= {{ as_of_date() }}
),

flagged as (
    select customer_id, as_of_date, 'red' as condition from daily where is_red
    union all
    select customer_id, as_of_date, 'adopting' as condition from daily where is_adopting
),

-- Days in a row become one stretch: the day less its place in the row of days is the same throughout.
numbered as (
    select
        *,
        as_of_date - cast(row_number() over (partition by customer_id, condition order by as_of_date) as int) as stretch
    from flagged
),

-- From its escalation on, a ticket is a conflict while it waits: not while it is solved, though it may come back.
escalations as (
    select
        customers.customer_id,
        {{ reporting_date('greatest(waiting.opened_at, milestones.first_escalated_at)') }} as valid_from,
        {{ reporting_date('waiting.solved_at') }} as valid_to
    from {{ ref('int_support_tickets__milestones') }} as milestones
    inner join {{ ref('int_support_tickets__open_intervals') }} as waiting
        on milestones.source_relation = waiting.source_relation and milestones.ticket_id = waiting.ticket_id
    inner join {{ ref('int_support_tickets__customers') }} as customers
        on customers.is_current and milestones.source_relation = customers.source_relation and milestones.ticket_id = customers.ticket_id
    where milestones.first_escalated_at is not null
),

opportunities as (
    select
        nodes.customer_id,
        {{ reporting_date('opportunities.created_at') }} as valid_from,
        {{ reporting_date(
            'coalesce(opportunities.closed_at, case when opportunities.is_won is not null then opportunities.updated_at end)'
        ) }} as valid_to
    from {{ ref('int_crm__opportunities') }} as opportunities
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and opportunities.source_relation = nodes.source_relation and opportunities.account_id = nodes.source_id
    where opportunities.is_current
),

conditions as (
    select customer_id, 'paying' as condition, valid_from, valid_to from paying
    union all
    select customer_id, 'ever_paid', min(valid_from), {{ forever }} from paying group by customer_id
    union all
    select paying.customer_id, 'returned', paying.valid_from, paying.valid_from + thresholds.won_back_days + 1
    from paying cross join thresholds where paying.stretch_number > 1
    union all
    select customer_id, condition, min(as_of_date), max(as_of_date) + 1 from numbered group by customer_id, condition, stretch
    union all
    select customer_id, 'escalated', valid_from, coalesce(valid_to, {{ forever }}) from escalations
    union all
    select invoices.customer_id, 'past_due', invoices.due_on + thresholds.past_due_days, invoices.settled_on
    from {{ ref('int_health__unpaid_invoices') }} as invoices cross join thresholds where invoices.is_current
    union all
    select renewals.customer_id, 'renewing', greatest(renewals.renews_on - thresholds.renewal_days, renewals.term_from), renewals.renews_on
    from {{ ref('int_lifecycle__renewals') }} as renewals cross join thresholds
    union all
    select customer_id, 'onboarding', first_paid_on, least(coalesce(completed_on, due_on), due_on) from onboardings
    union all
    select movements.customer_id, 'expanded', movements.moved_on, movements.moved_on + thresholds.expansion_days + 1
    from {{ ref('int_revenue__mrr_movements') }} as movements cross join thresholds where movements.movement = 'expansion'
    union all
    select customer_id, 'opportunity', valid_from, coalesce(valid_to, {{ forever }}) from opportunities
    union all
    select customer_id, 'ordered', min(ordered_on), {{ forever }} from {{ ref('int_churn__orders') }} group by customer_id
),

-- Only what has happened: nothing begins after as_of_date, and what ends after it has not ended.
final as (
    select
        customer_id,
        condition,
        valid_from,
        case when valid_to <= {{ as_of_date() }} then valid_to end as valid_to,
        row_number() over (partition by customer_id, condition, valid_from order by valid_to nulls last) as stretch_number
    from conditions
    where valid_from < valid_to and valid_from <= {{ as_of_date() }}
)

select * from final
