-- Reasons that stand in the records themselves: an escalation, an unpaid invoice, a bad answer.
with rules as (
    select
        {%- for rule in ['payment_overdue_days', 'detractor_days', 'detractor_score'] %}
        max(case when rule = '{{ rule }}' then cast(value as int) end) as {{ rule }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('worklist_rules') }}
),

escalated as (
    select
        customer_id,
        min(valid_from) as escalated_on,
        count(*) as tickets
    from {{ ref('int_lifecycle__conditions') }}
    where condition = 'escalated' and valid_to is null
    group by customer_id
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

detractors as (
    select
        answers.customer_id,
        max(answers.responded_on) as answered_on,
        cast(min(answers.score) as bigint) as score,
        count(*) as answers
    from {{ ref('int_voice__answers') }} as answers
    cross join rules
    where answers.is_counted
        and answers.customer_id is not null
        and answers.kind = 'nps'
        and answers.score <= rules.detractor_score
        and answers.responded_on between {{ as_of_date() }} - rules.detractor_days and {{ as_of_date() }}
    group by answers.customer_id
),

final as (
    select
        customer_id,
        'escalation_open' as reason,
        escalated_on as started_on,
        concat(
            cast(tickets as string),
            case when tickets = 1 then ' escalated ticket open since ' else ' escalated tickets open, the first since ' end,
            cast(escalated_on as string)
        ) as evidence
    from escalated
    union all
    select
        customer_id,
        'payment_overdue',
        due_on,
        concat(
            cast(invoices as string),
            case when invoices = 1 then ' invoice unpaid, due ' else ' invoices unpaid, the oldest due ' end,
            cast(due_on as string)
        )
    from overdue
    union all
    select
        customer_id,
        'detractor',
        answered_on,
        concat(
            cast(answers as string),
            case when answers = 1 then ' detractor answer, ' else ' detractor answers, the lowest ' end,
            cast(score as string), ' of 10, last on ', cast(answered_on as string)
        )
    from detractors
)

select * from final
