-- Whose ticket it is: its organization's, else its requester's, if a contact of the CRM has that e-mail address (of several the one
-- known first). known_from says since when that could be known; before, the ticket belonged to nobody.
with tickets as (
    select
        source_relation,
        ticket_id,
        organization_id,
        requester_email
    from {{ ref('int_support__tickets') }}
    qualify row_number() over (partition by source_relation, ticket_id order by known_from desc) = 1
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

requesters as (
    select
        contacts.email,
        nodes.customer_id,
        contacts.known_from
    from {{ ref('int_crm__contacts') }} as contacts
    inner join nodes
        on nodes.domain = 'crm' and contacts.source_relation = nodes.source_relation and contacts.account_id = nodes.source_id
    where contacts.email is not null
    qualify row_number() over (partition by contacts.email order by contacts.known_from, contacts.source_relation, contacts.contact_id) = 1
),

final as (
    select
        tickets.source_relation,
        tickets.ticket_id,
        coalesce(organizations.customer_id, requesters.customer_id) as customer_id,
        case when organizations.customer_id is null then requesters.known_from else cast('1900-01-01' as date) end as known_from
    from tickets
    left join nodes as organizations
        on
            organizations.domain = 'support'
            and tickets.source_relation = organizations.source_relation
            and tickets.organization_id = organizations.source_id
    left join requesters on tickets.organization_id is null and tickets.requester_email = requesters.email
    where organizations.customer_id is not null or requesters.customer_id is not null
)

select * from final
