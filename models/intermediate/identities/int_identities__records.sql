-- One row per record of each system that stands for a company (a survey respondent: the account, else the e-mail), as we last
-- knew it. Deleted records stay: their invoices and tickets still belong to somebody.
with accounts as (
    select * from {{ ref('int_crm__accounts') }}
    qualify row_number() over (partition by source_relation, account_id order by known_from desc) = 1
),

-- an account that was merged away before the first load is known by its id only
merged as (
    select source_relation, account_id from {{ ref('int_crm__account_merges') }}
    union
    select source_relation, merged_into_account_id from {{ ref('int_crm__account_merges') }}
),

customers as (
    select * from {{ ref('int_billing__customer_records') }}
    qualify row_number() over (partition by source_relation, customer_id order by is_deleted, known_from desc) = 1
),

-- a payer that was deleted before the first load is known by its invoices only, as any is whose record comes later
payers as (
    select source_relation, customer_id, min(issued_at) as created_at, min(first_landed_on) as first_landed_on
    from {{ ref('int_billing__invoices') }}
    group by source_relation, customer_id
),

organizations as (
    select * from {{ ref('int_support__organizations') }}
    qualify row_number() over (partition by source_relation, organization_id order by known_from desc) = 1
),

workspaces as (
    select * from {{ ref('int_product__workspaces') }}
    qualify row_number() over (partition by source_relation, workspace_id order by known_from desc) = 1
),

respondents as (
    select
        source_relation,
        coalesce(account_id, email) as source_id,
        account_id,
        min(responded_at) as created_at,
        min(first_landed_on) as first_landed_on
    from {{ ref('int_surveys__responses') }}
    where coalesce(account_id, email) is not null
    group by source_relation, coalesce(account_id, email), account_id
),

records as (
    select
        'crm' as domain,
        merged.source_relation,
        merged.account_id as source_id,
        cast(null as string) as name,
        cast(null as string) as web_domain,
        cast(null as string) as email,
        cast(null as string) as country,
        cast(null as string) as currency,
        merged.account_id,
        cast(null as timestamp) as created_at,
        true as is_deleted,
        cast(null as date) as first_landed_on
    from merged
    left join accounts on merged.source_relation = accounts.source_relation and merged.account_id = accounts.account_id
    where accounts.account_id is null
    union all
    select 'billing', payers.source_relation, payers.customer_id, null, null, null, null, null, null, payers.created_at, true,
        payers.first_landed_on
    from payers
    left join customers on payers.source_relation = customers.source_relation and payers.customer_id = customers.customer_id
    where customers.customer_id is null
    union all
    select 'crm', source_relation, account_id, name, domain, null, country, currency, account_id, created_at, not is_current,
        first_landed_on
    from accounts
    union all
    select
        'billing', customers.source_relation, customers.customer_id, customers.name, customers.domain, customers.email, customers.country,
        customers.currency, customers.account_id, customers.created_at, customers.is_deleted or not customers.is_current,
        least(customers.first_landed_on, coalesce(payers.first_landed_on, customers.first_landed_on))
    from customers
    left join payers on customers.source_relation = payers.source_relation and customers.customer_id = payers.customer_id
    union all
    select 'support', source_relation, organization_id, name, domain, null, null, null, account_id, created_at, not is_current,
        first_landed_on
    from organizations
    union all
    select 'product', source_relation, workspace_id, name, domain, null, null, null, account_id, created_at, not is_current,
        first_landed_on
    from workspaces
    union all
    select 'surveys', source_relation, source_id, null, null, null, null, null, account_id, created_at, false,
        first_landed_on
    from respondents
),

final as (
    select
        domain,
        source_relation,
        {{ tenant('source_relation') }} as tenant,
        source_id,
        name,
        {{ name_key('name') }} as name_key,
        web_domain,
        email,
        upper(country) as country,
        currency,
        account_id,
        created_at,
        is_deleted,
        first_landed_on
    from records
)

select * from final
