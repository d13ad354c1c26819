-- One row per customer, described by the CRM account that was never merged away, else by its oldest record.
-- Nothing here depends on revenue or health, so that those can be computed from it.
with nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

survivors as (
    select
        accounts.*,
        nodes.customer_id
    from {{ ref('int_crm__accounts') }} as accounts
    inner join {{ ref('int_identities__accounts') }} as clusters
        on accounts.source_relation = clusters.source_relation and accounts.account_id = clusters.source_id and clusters.is_survivor
    inner join nodes on nodes.domain = 'crm' and accounts.source_relation = nodes.source_relation and accounts.account_id = nodes.source_id
    qualify row_number() over (partition by accounts.source_relation, accounts.account_id order by accounts.known_from desc) = 1
),

records as (
    select
        nodes.customer_id,
        nodes.cluster_id,
        nodes.record_number,
        nodes.domain,
        records.name,
        records.web_domain,
        records.country,
        records.currency,
        records.created_at,
        nodes.source_relation,
        nodes.source_id,
        case
            when survivors.account_id is not null then 1 when nodes.domain = 'crm' then 2
            when nodes.domain = 'billing' then 3 when nodes.domain = 'support' then 4 when nodes.domain = 'product' then 5 else 6
        end as precedence
    from nodes
    inner join {{ ref('int_identities__records') }} as records
        on nodes.domain = records.domain and nodes.source_relation = records.source_relation and nodes.source_id = records.source_id
    left join survivors
        on nodes.domain = 'crm' and nodes.source_relation = survivors.source_relation and nodes.source_id = survivors.account_id
),

-- the first record that says anything, attribute by attribute; for the currency the payer is asked first
placed as (
    select
        *,
        cast(precedence as string) || {{ age_key('created_at', ['source_relation', 'source_id']) }} as place
    from records
),

described as (
    select
        customer_id,
        cluster_id,
        {{ without_addresses('min_by(name, case when name is not null then place end)') }} as customer_name,
        min_by(web_domain, case when web_domain is not null then place end) as web_domain,
        min_by(country, case when country is not null then place end) as country,
        min_by(currency, case when currency is not null then case when domain = 'billing' then '0' else '' end || place end) as currency,
        min(created_at) as created_at,
        count(*) as records,
        max(case when domain = 'crm' then 1 else 0 end) = 1 as has_account,
        md5(
            cast(count(*) as string) || '|' || cast(sum(record_number) as string) || '|' || cast(max(record_number) as string)
        ) as identity_fingerprint
    from placed
    group by customer_id, cluster_id
),

final as (
    select
        described.customer_id,
        {{ dbt.split_part('described.cluster_id', "'|'", 1) }} as anchor_domain,
        {{ dbt.split_part('described.cluster_id', "'|'", 2) }} as anchor_source_relation,
        described.cluster_id,
        coalesce(described.customer_name, 'Unnamed customer') as customer_name,
        described.customer_name is not null as is_named,
        described.web_domain as domain,
        case when parents.customer_id <> described.customer_id then parents.customer_id end as parent_customer_id,
        described.currency,
        described.country,
        survivors.industry,
        survivors.employees,
        survivors.owner_email,
        survivors.acquisition_cost,
        survivors.currency as acquisition_cost_currency,
        described.created_at,
        described.has_account,
        described.records,
        described.identity_fingerprint
    from described
    left join survivors on described.customer_id = survivors.customer_id
    left join nodes as parents
        on parents.domain = 'crm' and survivors.source_relation = parents.source_relation and survivors.parent_account_id = parents.source_id
)

select * from final
