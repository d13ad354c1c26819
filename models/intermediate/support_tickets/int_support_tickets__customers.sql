-- Whose ticket it is, for each version of it: its organization's, else its requester's, if a contact of the CRM has that e-mail
-- address (of several the one known first; before that was known, the ticket belonged to nobody).
with tickets as (
    select * from {{ ref('int_support__tickets') }}
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

placed as (
    select
        tickets.source_relation,
        tickets.ticket_id,
        tickets.known_from as version_from,
        coalesce(organizations.customer_id, requesters.customer_id) as customer_id,
        greatest(tickets.known_from, case when organizations.customer_id is null then requesters.known_from end) as known_from,
        coalesce(tickets.known_until, cast('9999-12-31' as date)) as known_until,
        tickets.is_current
    from tickets
    left join nodes as organizations
        on
            organizations.domain = 'support'
            and tickets.source_relation = organizations.source_relation
            and tickets.organization_id = organizations.source_id
    left join requesters on tickets.organization_id is null and tickets.requester_email = requesters.email
),

final as (
    select * from placed where customer_id is not null and known_from < known_until
)

select * from final
