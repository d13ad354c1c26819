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

-- a record without a domain of its own speaks through its people's
domains_of_people as (
    select domain, source_relation, tenant, source_id, email_domain
    from emails
    where speaks_for_domain and email_domain is not null
    group by domain, source_relation, tenant, source_id, email_domain
),

domains as (
    select domain, source_relation, tenant, source_id, web_domain from records where web_domain is not null
    union all
    select * from domains_of_people
),

keys as (
    select domain, source_relation, tenant, source_id, 'foreign_id' as evidence, account_id as key_value, cast(null as string) as country
    from records where account_id is not null
    union all
    select domain, source_relation, tenant, source_id, 'email', email, null from emails
    union all
    select domains.domain, domains.source_relation, domains.tenant, domains.source_id, 'domain', domains.web_domain, null
    from domains left join not_a_company on domains.web_domain = not_a_company.web_domain
    where not_a_company.web_domain is null
    union all
    select domain, source_relation, tenant, source_id, 'name_country', name_key, country from records where name_key is not null
),

too_common as (
    select keys.domain, keys.source_relation, keys.evidence, keys.key_value
    from keys
    inner join {{ ref('identity_evidence') }} as evidence on keys.evidence = evidence.evidence
    group by keys.domain, keys.source_relation, keys.evidence, keys.key_value
    having count(*) > max(evidence.max_records)
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
    left join too_common
        on keys.domain = too_common.domain
        and keys.source_relation = too_common.source_relation
        and keys.evidence = too_common.evidence
        and keys.key_value = too_common.key_value
    where too_common.key_value is null
)

select * from final
