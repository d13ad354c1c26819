-- What each record can be recognised by, one row per record and key. A key that more records of one system share than the
-- evidence allows (seed identity_evidence) identifies nobody and is left out; so are free-mail and shared domains.
with records as (
    select * from {{ ref('int_identities__records') }}
),

emails as (
    select
        records.domain,
        records.source_relation,
        records.tenant,
        records.source_id,
        records.web_domain is null as speaks_for_domain,
        emails.email,
        emails.email_domain
    from {{ ref('int_identities__emails') }} as emails
    inner join records
        on emails.domain = records.domain
        and emails.source_relation = records.source_relation
        and emails.source_id = records.source_id
),

not_a_company as (
    select domain as web_domain from {{ ref('free_mail_domains') }}
    union
    select domain from {{ ref('shared_domains') }}
),

keys as (
    select domain, source_relation, tenant, source_id, 'foreign_id' as evidence, account_id as key_value, cast(null as string) as country
    from records where account_id is not null
    union
    select domain, source_relation, tenant, source_id, 'email', email, null from emails
    union
    select records.domain, records.source_relation, records.tenant, records.source_id, 'domain', records.web_domain, null
    from records left join not_a_company on records.web_domain = not_a_company.web_domain
    where records.web_domain is not null and not_a_company.web_domain is null
    union
    -- a record without a domain of its own speaks through its people's
    select emails.domain, emails.source_relation, emails.tenant, emails.source_id, 'domain', emails.email_domain, null
    from emails left join not_a_company on emails.email_domain = not_a_company.web_domain
    where emails.speaks_for_domain and emails.email_domain is not null and not_a_company.web_domain is null
    union
    select domain, source_relation, tenant, source_id, 'name_country', name_key, country from records where name_key is not null
),

final as (
    select
        keys.domain,
        keys.source_relation,
        keys.tenant,
        keys.source_id,
        keys.evidence,
        keys.key_value,
        keys.country,
        evidence.weight
    from keys
    inner join {{ ref('identity_evidence') }} as evidence on keys.evidence = evidence.evidence
    qualify count(*) over (partition by keys.domain, keys.source_relation, keys.evidence, keys.key_value) <= evidence.max_records
)

select * from final
