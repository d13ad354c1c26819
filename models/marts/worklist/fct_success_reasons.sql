{%- set quarter_from = "cast(date_trunc('quarter', " ~ as_of_date() ~ ") as date)" -%}
{%- set quarter_to = 'cast(' ~ dbt.dateadd('month', 3, quarter_from) ~ ' as date) + (-1)' -%}
{%- set days = 'cast(rules.value as int)' -%}
-- Why each customer is on the worklist: every reason is read from the table that already says so.
with paying as (
    select * from {{ ref('int_lifecycle__conditions') }} where condition = 'paying' and valid_to is null
),

breached as (
    select
        tickets.customer_id,
        {{ days }} as days,
        {{ reporting_date('tickets.created_at') }} as opened_on,
        lag({{ reporting_date('tickets.created_at') }}, 1) over (partition by customer_id order by created_at, ticket_id) as last_on,
        lag({{ reporting_date('tickets.created_at') }}, 2) over (partition by customer_id order by created_at, ticket_id) as last_but_one_on
    from {{ ref('fct_tickets') }} as tickets
    inner join {{ ref('worklist_rules') }} as rules on rules.rule = 'sla_breach_days'
    where tickets.customer_id in (select customer_id from paying) and (tickets.is_sla_breached or tickets.is_resolution_breached)
),

-- It lasts for as long as two lie within so many days, and began with a ticket that had one such before it, but not yet two. Tickets count from
-- the day on which they were opened: the day on which a promise was broken is not kept (priority, business hours and reopenings move it).
sla as (
    select
        customer_id,
        max(case when opened_on < last_on + days and coalesce(greatest(last_on + 1, opened_on) > last_but_one_on + days, true)
            then opened_on end) as started_on,
        count(case when opened_on + days > {{ as_of_date() }} then 1 end) as tickets,
        max(days) as days
    from breached group by customer_id
),

renewals as (
    select renewals.*, {{ days.replace('rules', 'thresholds') }} as window_days
    from {{ ref('fct_renewals') }} as renewals
    inner join {{ ref('lifecycle_thresholds') }} as thresholds on thresholds.threshold = 'renewal_days'
    where renewals.outcome = 'open' and renewals.category in ('at_risk', 'critical') and renewals.days_to_renewal between 1 and thresholds.value
    qualify row_number() over (partition by renewals.customer_id order by renewals.renews_on) = 1
),

onboardings as (
    select
        onboardings.*,
        greatest(started_on, kicked_off_on, trained_on, first_value_on, broadly_used_on) as progress_on,
        {{ days.replace('rules', 'stuck') }} as stuck_days
    from {{ ref('fct_onboarding') }} as onboardings
    inner join {{ ref('worklist_rules') }} as rules on rules.rule = 'onboarding_last_week'
    inner join {{ ref('journey_rules') }} as stuck on stuck.rule = 'stuck_days'
    where onboardings.status = 'stuck' and onboardings.week <= rules.value
),

-- Who was aimed at, has left, and may still come back in time.
targets as (
    select winback.*
    from {{ ref('fct_winback') }} as winback
    left join paying on winback.customer_id = paying.customer_id
    where not winback.is_control and winback.left_on is not null and winback.is_reactivated is null and paying.customer_id is null
    qualify row_number() over (partition by winback.customer_id order by winback.targeted_on desc, winback.campaign_id) = 1
),

reasons as (
    select customer_id, reason, started_on, cast(null as date) as due_on, cast(null as decimal(18,4)) as amount, evidence
    from {{ ref('int_worklist__reasons') }}
    union all
    select customer_id, 'sla_breached_twice', started_on, null, null,
        concat(cast(tickets as string), ' tickets of the last ', cast(days as string), ' days broke what the SLA promises')
    from sla where tickets >= 2
    union all
    select customer_id, 'renewal_at_risk', renews_on - window_days, null, arr_reporting_amount,
        concat('Renews on ', cast(renews_on as string), ', ', replace(category, '_', ' '), coalesce(': ' || nullif(trim(concat(
            coalesce(risks, ''), case when is_quote_overdue then ' the quote is overdue;' else '' end)), ''), ''))
    from renewals
    union all
    select customer_id, 'onboarding_stuck', least(progress_on + stuck_days, planned_until), null, null,
        concat('Week ', cast(week as string), ' of the onboarding, milestones missed: ', cast(milestones_missed as string),
            ', nothing new since ', cast(progress_on as string), coalesce('; ' || risks, ''))
    from onboardings
    union all
    select customer_id, 'no_touch_in_cadence', next_due_on + 1, null, null,
        concat('Last touch ', coalesce(cast(last_touched_on as string), 'never'), ', one is due every ', cast(check_in_days as string), ' days')
    from {{ ref('fct_engagement') }} where is_overdue
    union all
    select segments.customer_id, 'code_red', coalesce(segments.last_active_on + 1, paying.valid_from, {{ quarter_from }}), null,
        segments.revenue_12m_amount,
        concat(coalesce('Silent since ' || cast(segments.last_active_on as string), 'Never active'), ', and among those who bring in most')
    from {{ ref('dim_customer_segments') }} as segments
    left join paying on segments.customer_id = paying.customer_id
    where segments.is_code_red
    union all
    select customer_id, 'evangelist_to_ask', {{ quarter_from }}, {{ quarter_to }}, revenue_12m_amount,
        concat('Among the most active, and revenue grows', case when is_promoter then '; a promoter' else '' end)
    from {{ ref('dim_customer_segments') }} where is_evangelist
    union all
    select customer_id, 'ready_to_expand', {{ quarter_from }}, {{ quarter_to }}, null,
        concat('Readiness ', cast(cast(round(readiness) as bigint) as string), coalesce(': ' || nullif(trim(concat(
            coalesce(reasons, ''), coalesce(' peers own ' || whitespace_product_name, ''))), ''), ''))
    from {{ ref('fct_expansion_readiness') }} where is_ready
    union all
    select customer_id, 'win_back', targeted_on, null, null,
        concat('Left on ', cast(left_on as string), ', ', case when responded_on is null then 'no answer yet' else 'has answered' end,
            ', a return counts until ', cast(window_ends_on as string))
    from targets
),

final as (
    select
        cast(reasons.customer_id as string) as customer_id,
        {{ as_of_date() }} as as_of_date,
        cast(reasons.reason as string) as reason,
        reasons.started_on,
        reasons.due_on,
        cast(coalesce(case when reasons.reason = 'renewal_at_risk' then reasons.amount end, nullif(tiers.arr_reporting_amount, 0), reasons.amount, 0)
            as decimal(18,4)) as arr_reporting_amount,
        cast(reasons.evidence as string) as evidence,
        cast('{{ var("run_id") }}' as string) as run_id
    from reasons
    inner join {{ ref('int_customers__tiers') }} as tiers on reasons.customer_id = tiers.customer_id
)

select * from final
