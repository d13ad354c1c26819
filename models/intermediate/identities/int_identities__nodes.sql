-- Whose record is it: every record of every system with its customer, the evidence and how sure we are.
-- A customer is called after that of its records which landed first, so that its id stays when a payer gets a CRM account, when the CRM
-- is connected a year later, or when two customers turn out to be one; of records that landed together, after the anchor.
with clustered as (
    {%- for model in ['accounts', 'billing', 'support', 'product', 'surveys'] %}
    select domain, source_relation, source_id, cluster_id, evidence, '{{ loop.index }}' as precedence
    from {{ ref('int_identities__' ~ model) }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

records as (
    select
        clustered.*,
        clustered.domain || '|' || clustered.source_relation || '|' || clustered.source_id as record_key,
        -- a respondent without an account is known by the e-mail only, which must not be guessed from an id
        'cus_' || substr(md5(clustered.domain || '|' || clustered.source_relation || '|' || case
            when position('@' in clustered.source_id) > 0 then {{ keyed_hash('clustered.source_id') }} else clustered.source_id
        end), 1, 16) as own_customer_id,
        records.first_landed_on,
        records.created_at
    from clustered
    left join {{ ref('int_identities__records') }} as records
        on
            clustered.domain = records.domain
            and clustered.source_relation = records.source_relation
            and clustered.source_id = records.source_id
),

named as (
    select
        cluster_id,
        min_by(
            own_customer_id,
            coalesce(cast(first_landed_on as string), '9999') || case when record_key = cluster_id then '0' else precedence end
            || {{ age_key('created_at', ['source_relation', 'source_id']) }}
        ) as customer_id
    from records
    group by cluster_id
),

final as (
    select
        records.domain,
        records.source_relation,
        records.source_id,
        named.customer_id,
        records.own_customer_id,
        records.cluster_id,
        records.evidence,
        evidence.confidence,
        {{ hash_number('records.record_key') }} as record_number
    from records
    inner join named on records.cluster_id = named.cluster_id
    inner join {{ ref('identity_evidence') }} as evidence on records.evidence = evidence.evidence
)

select * from final
