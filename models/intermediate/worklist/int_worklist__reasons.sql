{%- set score = "cast(cast(score_points * 0.01 as decimal(9,1)) as string)" -%}
with episodes as (
    select * from {{ ref('int_worklist__health_episodes') }}
),

rules as (
    select
        {%- for rule in ['payment_overdue_days', 'detractor_days', 'detractor_score'] %}
        max(case when rule = '{{ rule }}' then cast(value as int) end) as {{ rule }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('worklist_rules') }}
),

conditions as (
    select * from {{ ref('int_lifecycle__conditions') }} where valid_to is null
),

paying as (
    select customer_id from conditions where condition = 'paying'
),

today as (
    select * from {{ ref('int_health__daily') }} where as_of_date = {{ as_of_date() }}
),

green as (
    select min_score * 100 as green_points from {{ ref('health_bands') }} where band = 'green'
),

overdue as (
    select
        invoices.customer_id,
        min(invoices.due_on) as due_on,
        count(*) as invoices
    from {{ ref('int_health__unpaid_invoices') }} as invoices
    cross join rules
    where invoices.is_current
        and invoices.due_on + rules.payment_overdue_days <= {{ as_of_date() }}
        and invoices.settled_on > {{ as_of_date() }}
    group by invoices.customer_id
),

escalated as (
    select
        customer_id,
        min(valid_from) as escalated_on,
        count(*) as tickets
    from conditions
    where condition = 'escalated'
    group by customer_id
),

renewing as (
    select
        customer_id,
        min(renews_on) as renews_on
    from {{ ref('int_lifecycle__renewals') }}
    where renews_on > {{ as_of_date() }}
    group by customer_id
),

detractors as (
    select
        nodes.customer_id,
        max({{ reporting_date('responses.responded_at') }}) as answered_on,
        cast(min(responses.score) as bigint) as score,
        count(*) as answers
    from {{ ref('int_surveys__responses') }} as responses
    inner join {{ ref('int_identities__nodes') }} as nodes
        on
            nodes.domain = 'surveys'
            and responses.source_relation = nodes.source_relation
            and coalesce(responses.account_id, responses.email) = nodes.source_id
    cross join rules
    where responses.is_current
        and responses.kind = 'nps'
        and responses.score <= rules.detractor_score
        and {{ reporting_date('responses.responded_at') }} between {{ as_of_date() }} - rules.detractor_days and {{ as_of_date() }}
    group by nodes.customer_id
),

reasons as (
    select
        customer_id,
        reason,
        started_on,
        case reason
            when 'health_fell' then concat('Health is ', {{ score }}, case
                when change_points is null then ''
                when change_points < 0 then concat(', ', cast(cast(-change_points * 0.01 as decimal(9,1)) as string), ' points less than 28 days ago')
                else concat(', ', cast(cast(change_points * 0.01 as decimal(9,1)) as string), ' points more than 28 days ago')
            end)
            when 'use_fell' then concat('Use is ', cast(cast(round(use_trend * 100) as bigint) as string), ' % of the 28 days before')
            when 'sponsor_gone' then 'No known sponsor or champion is left'
            when 'no_touch_in_cadence' then concat('Last touch ', coalesce(cast(last_touched_on as string), 'never'))
            when 'ready_to_expand' then concat(cast(cast(round(seat_use * 100) as bigint) as string), ' % of the seats are in use, health is ', {{ score }})
        end as evidence
    from episodes
    union all
    select
        customer_id,
        'escalation_open',
        escalated_on,
        concat(cast(tickets as string), case when tickets = 1 then ' escalated ticket open since ' else ' escalated tickets open, the first since ' end, cast(escalated_on as string))
    from escalated
    union all
    select
        customer_id,
        'payment_overdue',
        due_on,
        concat(cast(invoices as string), case when invoices = 1 then ' invoice unpaid, due ' else ' invoices unpaid, the oldest due ' end, cast(due_on as string))
    from overdue
    union all
    select
        customer_id,
        'detractor',
        answered_on,
        concat(cast(answers as string), case when answers = 1 then ' detractor answer, ' else ' detractor answers, the lowest ' end, cast(score as string), ' of 10, last on ', cast(answered_on as string))
    from detractors
    union all
    select
        renewing.customer_id,
        'renewal_at_risk',
        renewing.renews_on - cast(thresholds.value as int),
        concat(
            'Renews on ', cast(renewing.renews_on as string), ':',
            case when today.score_points < green.green_points then concat(' health ', cast(cast(today.score_points * 0.01 as decimal(9,1)) as string), ';') else '' end,
            case when escalated.customer_id is not null then ' an escalation is open;' else '' end,
            case when overdue.customer_id is not null then ' a payment is overdue;' else '' end,
            case when today.sponsor_active = 0 then ' the sponsor is gone;' else '' end
        )
    from renewing
    cross join green
    inner join {{ ref('lifecycle_thresholds') }} as thresholds on thresholds.threshold = 'renewal_days'
    left join today on renewing.customer_id = today.customer_id
    left join escalated on renewing.customer_id = escalated.customer_id
    left join overdue on renewing.customer_id = overdue.customer_id
    where renewing.renews_on - cast(thresholds.value as int) <= {{ as_of_date() }}
        and (
            coalesce(today.score_points < green.green_points, false)
            or escalated.customer_id is not null
            or overdue.customer_id is not null
            or coalesce(today.sponsor_active = 0, false)
        )
),

-- Only customers that pay today: who has left is won back elsewhere.
final as (
    select
        reasons.customer_id,
        reasons.reason,
        reasons.started_on,
        reasons.evidence
    from reasons
    inner join paying on reasons.customer_id = paying.customer_id
)

select * from final
