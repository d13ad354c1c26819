-- Whose record is it: every record of every system with its customer, the evidence and how sure we are.
with clustered as (
    {%- for model in ['accounts', 'billing', 'support', 'product', 'surveys'] %}
    select domain, source_relation, source_id, cluster_id, evidence from {{ ref('int_identities__' ~ model) }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

final as (
    select
        clustered.domain,
        clustered.source_relation,
        clustered.source_id,
        'cus_' || substr(md5(clustered.cluster_id), 1, 16) as customer_id,
        clustered.cluster_id,
        clustered.evidence,
        evidence.confidence,
        {{ hash_number("clustered.domain || '|' || clustered.source_relation || '|' || clustered.source_id") }} as record_number
    from clustered
    inner join {{ ref('identity_evidence') }} as evidence on clustered.evidence = evidence.evidence
)

select * from final
