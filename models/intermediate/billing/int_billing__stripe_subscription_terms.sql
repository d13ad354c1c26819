-- What each Stripe subscription charges, for each stretch of days on which that was known: its items, as one line of terms. Plan,
-- interval and quantity are those of the largest item; the price of one unit is such that quantity × price is the whole subscription
-- (metered items have no price in advance). A new stretch begins wherever the subscription or one of its items changes.
with subscriptions as (
    select * from {{ ref('stg_stripe__subscriptions') }}
),

items as (
    select * from {{ ref('stg_stripe__subscription_items') }}
    where not is_deleted
),

changes as (
    select source_relation, subscription_id, known_from from subscriptions
    union
    select source_relation, subscription_id, known_from from items
    union
    select source_relation, subscription_id, known_until as known_from from items
    where known_until is not null
),

spans as (
    select
        changes.*,
        lead(known_from) over (partition by source_relation, subscription_id order by known_from) as known_until
    from changes
),

ranked as (
    select
        spans.source_relation,
        spans.subscription_id,
        spans.known_from,
        spans.known_until,
        items.plan_id,
        items.interval,
        items.interval_count,
        items.quantity,
        items.unit_amount,
        coalesce(items.usage_type, 'licensed') = 'metered' as is_metered,
        row_number() over (
            partition by spans.source_relation, spans.subscription_id, spans.known_from
            order by
                coalesce(items.usage_type, 'licensed') = 'metered',
                {{ multiply_money('items.unit_amount', 'items.quantity') }} desc nulls last,
                items.subscription_item_id nulls last
        ) as rank_number
    from spans
    left join items
        on spans.source_relation = items.source_relation
            and spans.subscription_id = items.subscription_id
            and items.known_from <= spans.known_from
            and (items.known_until is null or items.known_until > spans.known_from)
),

summed as (
    select
        source_relation,
        subscription_id,
        known_from,
        known_until,
        max(case when rank_number = 1 then plan_id end) as plan_id,
        max(case when rank_number = 1 then interval end) as interval,
        max(case when rank_number = 1 then interval_count end) as interval_count,
        max(case when rank_number = 1 then quantity end) as quantity,
        max(case when rank_number = 1 then unit_amount end) as main_unit_amount,
        count(case when not is_metered then 1 end) as priced_items,
        cast(sum(case when not is_metered then {{ multiply_money('unit_amount', 'quantity') }} end) as decimal(18,4)) as period_amount
    from ranked
    group by source_relation, subscription_id, known_from, known_until
),

final as (
    select
        source_relation,
        subscription_id,
        known_from,
        known_until,
        plan_id,
        interval,
        interval_count,
        quantity,
        case
            when priced_items <= 1 then main_unit_amount
            else cast(cast(period_amount as double) / nullif(cast(quantity as double), 0) as decimal(18,4))
        end as unit_amount,
        period_amount
    from summed
)

select * from final
