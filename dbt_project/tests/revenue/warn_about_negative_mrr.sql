{{ config(severity='warn') }}
-- Credits that outweigh what is billed: the ledger shows zero there. A proration whose charge was voided, a credit note twice.
select customer_id, subscription_key, currency, valid_from, monthly_rate
from {{ ref('int_revenue__subscription_mrr') }}
where monthly_rate < 0 and rule_set = 0
