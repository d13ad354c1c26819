-- Today's MRR twice, per subscription: what the subscription says it charges (price x quantity / months, less its discount), and the ledger,
-- which follows the invoice lines. Each difference has its cause, looked for from the plainest to the subtlest.
{% set months -%}
    case subscriptions.interval
        when 'year' then 12.0e0 when 'quarter' then 3.0e0 when 'month' then 1.0e0 when 'week' then 12 / 52.0e0 when 'day' then 12 / 365.0e0
    end
{%- endset %}
with charged as (
    select
        subscriptions.source_relation,
        subscriptions.subscription_id as subscription_key,
        subscriptions.currency,
        cast(subscriptions.unit_amount * coalesce(subscriptions.quantity, 1) as double) as price,
        coalesce(subscriptions.interval_count, 1) * {{ months }} as months,
        case
            when subscriptions.discount_ends_at is null then coalesce(subscriptions.discount_percent, 0)
            when rules.discounts = 'net' and {{ reporting_date('subscriptions.discount_ends_at') }} > {{ as_of_date() }}
                then subscriptions.discount_percent
            else 0
        end / 100 as discount_share,
        case
            when coalesce(ends.ends_on <= {{ as_of_date() }}, false) then 'ended'
            when status = 'trialing' or coalesce({{ reporting_date('trial_ends_at') }} > {{ as_of_date() }}, false) then 'trial'
            when status = 'paused' or (paused_at is not null and coalesce(resumed_at < paused_at, resumed_at is null)) then 'paused'
            when status in ('incomplete', 'incomplete_expired') then 'never_started'
            when {{ dbt.datediff(reporting_date('coalesce(current_period_start, started_at)'), as_of_date(), 'day') }} <= rules.draft_grace_days
                then 'just_begun'
            else 'running'
        end as state
    from {{ ref('int_billing__subscriptions') }} as subscriptions
    cross join {{ ref('int_revenue__rules') }} as rules
    left join {{ ref('int_revenue__subscription_ends') }} as ends
        on subscriptions.source_relation = ends.source_relation
            and subscriptions.subscription_id = ends.subscription_id
            and ends.known_until is null
    where subscriptions.is_current
),

suspended as (
    select source_relation, subscription_key
    from {{ ref('int_revenue__suspensions') }}
    where rule_set = 0 and known_until is null and suspended_from <= {{ as_of_date() }}
        and (suspended_until is null or suspended_until > {{ as_of_date() }})
    group by source_relation, subscription_key
),

ledger as (
    select
        source_relation, subscription_key, currency, sum(monthly_rate) as monthly_rate, max(case when is_bridged then 1 else 0 end) as bridged
    from {{ ref('int_revenue__subscription_mrr') }}
    where rule_set = 0 and valid_to is null
    group by source_relation, subscription_key, currency
),

compared as (
    select
        coalesce(charged.source_relation, ledger.source_relation) as source_relation,
        coalesce(charged.subscription_key, ledger.subscription_key) as subscription_key,
        coalesce(ledger.currency, charged.currency, 'none') as currency,
        charged.state,
        charged.subscription_key is not null as is_known,
        suspended.subscription_key is not null as is_suspended,
        charged.price,
        charged.price / charged.months as full_rate,
        case
            when charged.state in ('ended', 'never_started') then 0.0e0
            else charged.price / charged.months * (1 - charged.discount_share)
        end as charged_rate,
        cast(coalesce(ledger.monthly_rate, 0) as double) as ledger_rate,
        coalesce(ledger.bridged, 0) = 1 as is_bridged
    from charged
    full outer join ledger
        on charged.source_relation = ledger.source_relation
            and charged.subscription_key = ledger.subscription_key
            and coalesce(charged.currency, ledger.currency) = ledger.currency
    left join suspended
        on charged.source_relation = suspended.source_relation
            and charged.subscription_key = suspended.subscription_key
),

final as (
    select
        compared.source_relation,
        compared.subscription_key,
        compared.currency,
        {{ to_money("charged_rate") }} as charged_rate,
        {{ to_money("ledger_rate") }} as ledger_rate,
        case
            when abs(charged_rate - ledger_rate) < 0.01 or (charged_rate is null and ledger_rate = 0) then 'none'
            when compared.subscription_key = 'none' then 'no_subscription'
            when not is_known then 'unknown_subscription'
            when is_suspended then 'suspended_by_rule'
            when state in ('trial', 'paused', 'just_begun') and ledger_rate = 0 then state
            when coalesce(has_exception, false) then 'line_not_countable'
            when coalesce(has_uncounted_invoice, false) then 'invoice_not_counted'
            when is_bridged then 'bridged_gap'
            when coalesce(counted_lines, 0) = 0 and ledger_rate = 0 then 'not_billed'
            when charged_rate is null then 'no_price'
            when abs(charged_rate - ledger_rate + cast(credit_rate as double)) < 0.01 and credit_rate < 0 then 'credit_note'
            when abs(compared.full_rate - cast(billed.full_rate as double)) < 0.01 then 'discount_as_billed'
            when has_unclear_price then 'unclear_price'
            when highest_price <> price then 'terms_changed'
            else 'unexplained'
        end as cause
    from compared
    left join {{ ref('int_revenue__billed_today') }} as billed
        on compared.source_relation = billed.source_relation
            and compared.subscription_key = billed.subscription_key
            and compared.currency = billed.currency
)

select * from final
