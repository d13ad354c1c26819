-- Each renewal with the day as of which it is judged, and what was known about it then: a deal, a cancellation, what the customer did.
with rules as (
    select
        max(case when rule = 'quote_days' then cast(value as int) end) as quote_days,
        max(case when rule = 'judged_days_before' then cast(value as int) end) as judged_days_before
    from {{ ref('journey_rules') }}
),

renewals as (
    select
        renewals.*,
        renewals.renews_on - rules.quote_days as quote_due_on,
        case
            when renewals.renews_on > {{ as_of_date() }} then {{ as_of_date() }}
            else greatest(renewals.renews_on - rules.judged_days_before, renewals.term_from)
        end as judged_on
    from {{ ref('int_lifecycle__renewals') }} as renewals
    cross join rules
),

deals as (
    select
        renewals.customer_id,
        renewals.renews_on,
        min({{ reporting_date('deals.created_at') }}) as quoted_on,
        min(case when deals.is_won and {{ reporting_date('deals.closed_at') }} <= renewals.judged_on
            then {{ reporting_date('deals.closed_at') }} end) as agreed_on
    from renewals
    inner join {{ ref('int_identities__nodes') }} as nodes on nodes.domain = 'crm' and renewals.customer_id = nodes.customer_id
    inner join {{ ref('int_crm__opportunities') }} as deals
        on
            nodes.source_relation = deals.source_relation
            and nodes.source_id = deals.account_id
            and deals.is_current
            and deals.kind = 'renewal'
            and {{ reporting_date('deals.created_at') }} >= renewals.term_from
            and {{ reporting_date('deals.created_at') }} < renewals.renews_on
            and {{ reporting_date('deals.created_at') }} <= {{ as_of_date() }}
    group by renewals.customer_id, renewals.renews_on
),

-- Of the subscriptions whose year ends on that day: a monthly one beside them that is cancelled says nothing about this renewal.
subscriptions as (
    select
        active_lines.customer_id,
        active_lines.source_relation,
        active_lines.subscription_id,
        active_lines.active_until as renews_on
    from {{ ref('int_revenue__active_lines') }} as active_lines
    inner join {{ ref('int_revenue__line_intervals') }} as lines
        on
            active_lines.source_relation = lines.source_relation
            and active_lines.line_id = lines.line_id
            and lines.known_until is null
            and lines.months_in_interval >= 12
    where active_lines.subscription_id is not null and active_lines.known_until is null and active_lines.monthly_rate > 0
    group by active_lines.customer_id, active_lines.source_relation, active_lines.subscription_id, active_lines.active_until
),

cancelled as (
    select
        renewals.customer_id,
        renewals.renews_on
    from renewals
    inner join subscriptions
        on renewals.customer_id = subscriptions.customer_id and renewals.renews_on = subscriptions.renews_on
    inner join {{ ref('int_revenue__subscription_ends') }} as ends
        on
            subscriptions.source_relation = ends.source_relation
            and subscriptions.subscription_id = ends.subscription_id
            and ends.requested_on <= renewals.judged_on
            and (ends.ended_on > renewals.judged_on or ends.ended_on is null)
            and renewals.judged_on >= ends.known_from
            and (renewals.judged_on < ends.known_until or ends.known_until is null)
    group by renewals.customer_id, renewals.renews_on
),

-- What the ledger did on the day, exchange rates apart. A day that has not come has done nothing.
moved as (
    select
        customer_id,
        moved_on,
        sum(mrr_change_reporting) as mrr_change_reporting
    from {{ ref('int_revenue__mrr_movements') }}
    where movement <> 'fx'
    group by customer_id, moved_on
),

final as (
    select
        renewals.*,
        deals.quoted_on,
        deals.agreed_on,
        cancelled.customer_id is not null as is_cancellation_requested,
        case
            when renewals.renews_on <= {{ as_of_date() }}
                then cast(greatest(renewals.mrr_reporting_amount + coalesce(moved.mrr_change_reporting, 0), 0) as decimal(18,4))
        end as renewed_mrr_reporting_amount
    from renewals
    left join deals on renewals.customer_id = deals.customer_id and renewals.renews_on = deals.renews_on
    left join cancelled on renewals.customer_id = cancelled.customer_id and renewals.renews_on = cancelled.renews_on
    left join moved on renewals.customer_id = moved.customer_id and renewals.renews_on = moved.moved_on
)

select * from final
