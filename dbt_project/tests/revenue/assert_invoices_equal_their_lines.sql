-- The lines of an invoice add up to its total, or there is a cause that is in order.
select source_relation, invoice_id, cause
from {{ ref('int_revenue__invoice_reconciliation') }}
where cause in ('no_lines', 'unexplained')
