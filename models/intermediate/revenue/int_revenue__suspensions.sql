-- Stretches of days on which a subscription does not count although it is billed, for each set of rules that says so: while it is paused,
-- while its status is unpaid, or from auto_churn_days after an invoice was due until that is paid.
with subscriptions as (
    select
        *,
        lead(paused_at) over (partition by source_relation, subscription_id order by known_from) as next_paused_at
    from {{ ref('int_billing__subscriptions') }}
),

invoices as (
    select * from {{ ref('int_billing__invoices') }}
    where status in ('open', 'paid', 'uncollectible')
),

rule_sets as (
    select * from {{ ref('int_revenue__rule_sets') }}
),

-- The customers (and invoices) of each subscription; lines without one are one agreement of their customer.
agreements as (
    select source_relation, invoice_id, customer_id, coalesce(subscription_id, 'none') as subscription_key
    from {{ ref('int_revenue__recurring_lines') }}
    where exception_reason is null and full_monthly_rate > 0
    group by source_relation, invoice_id, customer_id, coalesce(subscription_id, 'none')
),

payers as (
    select source_relation, customer_id, subscription_key
    from agreements
    group by source_relation, customer_id, subscription_key
),

stated as (
    select
        source_relation, subscription_id,
        'paused' as reason,
        {{ reporting_date('coalesce(paused_at, updated_at)') }} as suspended_from,
        case when resumed_at >= paused_at then {{ reporting_date('resumed_at') }} end as suspended_until,
        known_from,
        known_until,
        coalesce(next_paused_at = paused_at, false) as is_retold
    from subscriptions
    where paused_at is not null or status = 'paused'
    union all
    select
        source_relation, subscription_id,
        'unpaid' as reason,
        coalesce({{ reporting_date('updated_at') }}, known_from) as suspended_from,
        cast(null as date) as suspended_until,
        known_from,
        known_until,
        false as is_retold
    from subscriptions
    where status = 'unpaid'
),

-- A version speaks of the last pause only: when the next one comes the pause is over, and remembered, unless that speaks of the same: then
-- it knows better when the pause ended.
remembered as (
    select stated.*, false as is_remembered from stated
    union all
    select
        source_relation, subscription_id, reason, suspended_from,
        least(suspended_until, known_until) as suspended_until,
        known_until as known_from, cast(null as date) as known_until, is_retold, true as is_remembered
    from stated
    where known_until is not null and not is_retold
),

suspended as (
    select
        rule_sets.rule_set,
        remembered.reason,
        remembered.source_relation,
        remembered.subscription_id as reference,
        payers.customer_id,
        payers.subscription_key,
        remembered.suspended_from, remembered.suspended_until, remembered.known_from, remembered.known_until, remembered.is_remembered
    from remembered
    inner join payers
        on remembered.source_relation = payers.source_relation
            and remembered.subscription_id = payers.subscription_key
    inner join rule_sets
        on (remembered.reason = 'paused' and rule_sets.paused = 'zero')
            or (remembered.reason = 'unpaid' and rule_sets.past_due = 'unpaid_is_churn')
    union all
    select
        rule_sets.rule_set,
        'overdue' as reason,
        invoices.source_relation,
        invoices.invoice_id as reference,
        agreements.customer_id,
        agreements.subscription_key,
        cast({{ dbt.dateadd('day', 'rule_sets.auto_churn_days', reporting_date('coalesce(invoices.due_at, invoices.issued_at)')) }} as date)
        as suspended_from,
        case when invoices.status = 'paid' then {{ reporting_date('coalesce(invoices.paid_at, invoices.updated_at)') }} end as suspended_until,
        invoices.known_from,
        invoices.known_until,
        false as is_remembered
    from invoices
    inner join agreements
        on invoices.source_relation = agreements.source_relation
            and invoices.invoice_id = agreements.invoice_id
    inner join rule_sets
        on rule_sets.auto_churn_days is not null
),

final as (
    select * from suspended
    where
        (suspended_until is null or suspended_until > suspended_from)
        and (known_until is null or known_until > known_from)
)

select * from final
