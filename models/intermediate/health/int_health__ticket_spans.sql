-- The days on which a ticket was open, for each stretch of days on which that was known: from its opening, or its escalation, to
-- its solve. Every version of every ticket that belongs to a customer.
with tickets as (
    select
        *,
        {{ reporting_date('created_at') }} as created_on,
        case when status in ('solved', 'closed') then {{ reporting_date('coalesce(solved_at, updated_at)') }} end as solved_on
    from {{ ref('int_support__tickets') }}
),

escalations as (
    select
        source_relation,
        ticket_id,
        min(greatest({{ reporting_date('occurred_at') }}, known_from)) as escalated_on
    from {{ ref('int_support__ticket_events') }}
    where kind = 'escalation'
    group by source_relation, ticket_id
),

spans as (
    select
        customers.customer_id,
        tickets.source_relation,
        tickets.ticket_id,
        tickets.priority,
        tickets.created_on,
        escalations.escalated_on,
        greatest(tickets.created_on, customers.known_from) as valid_from,
        least(
            coalesce(tickets.solved_on, cast('9999-12-31' as date)),
            customers.known_until
        ) as valid_to
    from tickets
    inner join {{ ref('int_support_tickets__customers') }} as customers
        on
            tickets.source_relation = customers.source_relation
            and tickets.ticket_id = customers.ticket_id
            and tickets.known_from = customers.version_from
    left join escalations on tickets.source_relation = escalations.source_relation and tickets.ticket_id = escalations.ticket_id
),

final as (
    select * from spans where valid_from < valid_to
)

select * from final
