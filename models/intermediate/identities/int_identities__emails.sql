-- Every e-mail address under which a record is known: contacts for an account, requesters for an organization, respondents. What is
-- no address (NULL, n/a, as files have it) would be one that all such records share.
with contacts as (
    select * from {{ ref('int_crm__contacts') }}
    where email is not null
),

tickets as (
    select * from {{ ref('int_support__tickets') }}
    where requester_email is not null and organization_id is not null
),

found as (
    select 'crm' as domain, source_relation, account_id as source_id, email from contacts
    union
    select 'billing', source_relation, customer_id, email from {{ ref('int_billing__customer_records') }} where email is not null
    union
    select 'support', source_relation, organization_id, requester_email from tickets
    union
    select 'surveys', source_relation, coalesce(account_id, email), email from {{ ref('int_surveys__responses') }} where email is not null
),

final as (
    select
        domain,
        source_relation,
        source_id,
        email,
        {{ email_domain('email') }} as email_domain
    from found
    where email like '%_@_%'
)

select * from final
