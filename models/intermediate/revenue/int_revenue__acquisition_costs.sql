-- What winning each customer cost, in the reporting currency at the rate of the day the account was created. Unknown costs are no row,
-- and one below 0 is a slip in the CRM (a warning gate names it), not a gift.
with accounts as (
    select * from {{ ref('int_crm__accounts') }}
    where is_current and acquisition_cost >= 0
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
    where domain = 'crm'
),

rates as (
    select * from {{ ref('int_revenue__exchange_rates') }}
),

final as (
    select
        nodes.customer_id,
        {{ to_money('sum(cast(accounts.acquisition_cost as double) * cast(rates.exchange_rate as double))') }} as acquisition_cost
    from accounts
    inner join nodes
        on accounts.source_relation = nodes.source_relation
            and accounts.account_id = nodes.source_id
    inner join rates
        on coalesce(accounts.currency, '{{ var("reporting_currency") }}') = rates.currency
            and {{ reporting_date('accounts.created_at') }} >= rates.valid_from
            and {{ reporting_date('accounts.created_at') }} < rates.valid_to
    group by nodes.customer_id
)

select * from final
