-- Every recurring line of an invoice that counts is in the ledger. What is not, is listed with its cause and mended there: a rate in
-- seeds/exchange_rates.csv, a service period or an invoice at the source.
select source_relation, line_id, reason
from {{ ref('int_revenue__line_exceptions') }}
where is_blocking
