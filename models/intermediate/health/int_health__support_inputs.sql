with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

-- Known to a help desk by an organization there, or by the first ticket that anybody at the customer opened without one.
acquainted as (
    select
        nodes.customer_id,
        organizations.source_relation,
        organizations.known_from
    from {{ ref('int_support__organizations') }} as organizations
    inner join {{ ref('int_identities__nodes') }} as nodes
        on
            nodes.domain = 'support'
            and organizations.source_relation = nodes.source_relation
            and organizations.organization_id = nodes.source_id
    union all
    select
        customer_id,
        source_relation,
        known_from
    from {{ ref('int_support_tickets__customers') }}
),

help_desks as (
    select
        customer_id,
        source_relation,
        min(known_from) as known_from
    from acquainted
    group by customer_id, source_relation
),

-- Only who could have asked for help, in a help desk that is alive, has no problems when there are no tickets.
observed as (
    select
        customer_days.customer_id,
        customer_days.as_of_date
    from customer_days
    inner join help_desks
        on customer_days.customer_id = help_desks.customer_id and customer_days.as_of_date >= help_desks.known_from
    inner join {{ ref('int_health__fresh_sources') }} as fresh
        on
            fresh.domain = 'support'
            and help_desks.source_relation = fresh.source_relation
            and customer_days.as_of_date >= fresh.valid_from
            and customer_days.as_of_date < fresh.valid_to
    group by customer_days.customer_id, customer_days.as_of_date
),

final as (
    select
        observed.customer_id,
        observed.as_of_date,
        count(case when tickets.escalated_on <= observed.as_of_date then 1 end) as open_escalations,
        count(case when tickets.priority in ('high', 'urgent') then 1 end) as urgent_tickets,
        coalesce(max({{ dbt.datediff('tickets.created_on', 'observed.as_of_date', 'day') }}), 0) as oldest_ticket_days
    from observed
    left join {{ ref('int_health__ticket_spans') }} as tickets
        on
            observed.customer_id = tickets.customer_id
            and observed.as_of_date >= tickets.valid_from
            and observed.as_of_date < tickets.valid_to
    group by observed.customer_id, observed.as_of_date
)

select * from final
