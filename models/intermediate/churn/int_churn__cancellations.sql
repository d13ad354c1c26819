-- How subscriptions ended, with what the billing system says about it. Only Stripe says why; the contract of own tables has no place
-- for it. Of its comment, which may be free text, only what stands in the list of reasons is taken. Where revenue stops with the request
-- (rule churn_timing), that is the day that counts, and the subscription may still run.
with dated as (
    select
        *,
        {{ reporting_date(
            "coalesce(ended_at, case when status in ('canceled', 'cancelled', 'ended', 'expired') then canceled_at end)"
        ) }} as ended_on,
        {{ reporting_date('coalesce(cancel_requested_at, canceled_at)') }} as requested_on
    from {{ ref('int_billing__subscriptions') }}
    where is_current
),

subscriptions as (
    select
        dated.*,
        case when rules.churn_timing = 'request' then least(ended_on, requested_on) else ended_on end as stops_on
    from dated
    cross join {{ ref('int_revenue__rules') }} as rules
),

stripe as (
    select * from {{ ref('stg_stripe__subscriptions') }}
    where is_current
),

themes as (
    select * from {{ ref('churn_themes') }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'billing'
),

final as (
    select
        subscriptions.source_relation,
        subscriptions.subscription_id,
        nodes.customer_id,
        subscriptions.stops_on,
        subscriptions.ended_on,
        subscriptions.requested_on,
        stripe.cancellation_reason in ('payment_failed', 'payment_disputed') as is_payment_failure,
        case
            when themes.reason is not null then {{ clean_code('stripe.cancellation_comment') }} else stripe.cancellation_feedback
        end as stated_reason
    from subscriptions
    inner join nodes
        on subscriptions.source_relation = nodes.source_relation
            and subscriptions.customer_id = nodes.source_id
    left join stripe
        on subscriptions.source_relation = stripe.source_relation
            and subscriptions.subscription_id = stripe.subscription_id
    left join themes
        on {{ churn_reason('stripe.cancellation_comment') }} = themes.reason
    where subscriptions.stops_on <= {{ as_of_date() }}
)

select * from final
