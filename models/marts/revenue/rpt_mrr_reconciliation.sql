-- The books held against each other, record by record: MRR of every subscription, and the invoices, payments, ledgers and rows that differ.
{% set parts = [
    ('subscription_mrr', 'subscription', 'subscription_key', 'charged_rate', 'ledger_rate', 'int_revenue__subscription_reconciliation'),
    ('invoice_lines', 'invoice', 'invoice_id', 'total', 'amount_of_lines', 'int_revenue__invoice_reconciliation'),
] %}
with ledger as (
    select customer_id, currency, sum(monthly_rate) as subscriptions_mrr
    from {{ ref('int_revenue__subscription_mrr') }}
    where rule_set = 0 and valid_to is null
    group by customer_id, currency
),

published as (
    select customer_id, currency, mrr_amount
    from {{ ref('fct_customer_mrr') }}
    where valid_to is null
),

rows_billed as (
    select source_relation, count(*) as rows_found
    from {{ ref('int_billing__invoice_lines') }}
    where kind = 'recurring'
    group by source_relation
),

rows_carried as (
    select source_relation, count(*) as rows_found
    from {{ ref('int_revenue__recurring_lines') }}
    group by source_relation
),

compared as (
    {% for reconciliation, record_kind, record_id, expected, actual, model in parts -%}
    select
        '{{ reconciliation }}' as reconciliation,
        '{{ record_kind }}' as record_kind,
        source_relation,
        {{ record_id }} as record_id,
        currency,
        {{ expected }} as expected_amount,
        {{ actual }} as actual_amount,
        cause
    from {{ ref(model) }}
    union all
    {% endfor -%}
    select
        'payments' as reconciliation, record_kind, source_relation, record_id, currency,
        stated_amount as expected_amount, received_amount as actual_amount, cause
    from {{ ref('int_revenue__payment_reconciliation') }}
    union all
    select
        'ledger' as reconciliation,
        'customer' as record_kind,
        'all' as source_relation,
        coalesce(ledger.customer_id, published.customer_id) as record_id,
        coalesce(ledger.currency, published.currency) as currency,
        coalesce(ledger.subscriptions_mrr, 0) as expected_amount,
        coalesce(published.mrr_amount, 0) as actual_amount,
        case when ledger.subscriptions_mrr < 0.005 and published.mrr_amount is null then 'credits_outweigh' else 'unexplained' end as cause
    from ledger
    full outer join published
        on ledger.customer_id = published.customer_id and ledger.currency = published.currency
    where abs(coalesce(ledger.subscriptions_mrr, 0) - coalesce(published.mrr_amount, 0)) >= 0.01
    union all
    select
        'rows' as reconciliation,
        'table' as record_kind,
        rows_billed.source_relation,
        'recurring invoice lines' as record_id,
        cast(null as string) as currency,
        rows_billed.rows_found as expected_amount,
        coalesce(rows_carried.rows_found, 0) as actual_amount,
        case when rows_billed.rows_found = rows_carried.rows_found then 'none' else 'unexplained' end as cause
    from rows_billed
    left join rows_carried
        on rows_billed.source_relation = rows_carried.source_relation
),

final as (
    select
        reconciliation,
        record_kind,
        source_relation,
        record_id,
        coalesce(currency, 'none') as currency,
        cast(expected_amount as decimal(18,4)) as expected_amount,
        cast(actual_amount as decimal(18,4)) as actual_amount,
        cast(actual_amount - expected_amount as decimal(18,4)) as difference,
        cause,
        coalesce(cause in ('unexplained', 'no_lines'), true) as is_blocking,
        '{{ var("run_id") }}' as run_id
    from compared
)

select * from final
