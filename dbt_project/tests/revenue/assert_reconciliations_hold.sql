-- MRR against subscriptions, lines against totals, payments against invoices, the ledger against its parts: every difference has a cause that is
-- in order. What is unexplained is a line that is missing or twice, or a rate that is wrong: look it up by its record_id.
select reconciliation, source_relation, record_id, currency, difference, cause
from {{ ref('rpt_mrr_reconciliation') }}
where is_blocking
