-- Stripe's subscriptions in the columns of the contract: each with the terms of its items and the discount in per cent, for each
-- stretch of days on which both were so. Stripe only says that collection is paused, not since when: that is read from the versions.
with subscriptions as (
    select
        *,
        lag(is_paused) over (partition by source_relation, subscription_id order by known_from) as was_paused
    from {{ ref('stg_stripe__subscriptions') }}
),

terms as (
    select * from {{ ref('int_billing__stripe_subscription_terms') }}
),

pauses as (
    select
        subscriptions.*,
        max(case when is_paused and not coalesce(was_paused, false) then updated_at end) over (
            partition by source_relation, subscription_id order by known_from rows unbounded preceding
        ) as paused_at,
        max(case when was_paused and not is_paused then updated_at end) over (
            partition by source_relation, subscription_id order by known_from rows unbounded preceding
        ) as resumed_at
    from subscriptions
),

final as (
    select
        pauses.subscription_id,
        pauses.customer_id,
        pauses.status,
        terms.plan_id,
        terms.quantity,
        terms.unit_amount,
        pauses.currency,
        terms.interval,
        terms.interval_count,
        coalesce(
            pauses.discount_percent,
            cast(pauses.discount_amount as double) * 100 / nullif(cast(terms.period_amount as double), 0)
        ) as discount_percent,
        -- A discount that is given once ends with the period that it was given for.
        coalesce(
            pauses.discount_ends_at,
            case when pauses.discount_duration = 'once' then pauses.current_period_end end
        ) as discount_ends_at,
        pauses.started_at,
        pauses.trial_ends_at,
        pauses.paused_at,
        pauses.resumed_at,
        pauses.cancel_requested_at,
        case when pauses.status = 'canceled' then coalesce(pauses.ended_at, pauses.cancel_requested_at) end as canceled_at,
        pauses.ended_at,
        pauses.current_period_start,
        pauses.current_period_end,
        pauses.updated_at,
        pauses.source_relation,
        terms.known_from,
        terms.known_until,
        terms.known_until is null as is_current,
        pauses.is_deleted
    from pauses
    inner join terms
        on pauses.source_relation = terms.source_relation
            and pauses.subscription_id = terms.subscription_id
            and pauses.known_from <= terms.known_from
            and (pauses.known_until is null or pauses.known_until > terms.known_from)
)

select * from final
