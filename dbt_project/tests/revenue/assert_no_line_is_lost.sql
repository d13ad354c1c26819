-- From the billing lines to the ledger's lines no join drops or doubles a row: every version of every recurring line, once.
with billed as (
    select count(*) as lines_found
    from {{ ref('int_billing__invoice_lines') }}
    where kind = 'recurring'
),

carried as (
    select count(*) as lines_found
    from {{ ref('int_revenue__recurring_lines') }}
)

select billed.lines_found as lines_billed, carried.lines_found as lines_carried
from billed
cross join carried
where billed.lines_found <> carried.lines_found
