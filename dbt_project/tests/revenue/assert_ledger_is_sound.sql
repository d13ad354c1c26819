-- No interval starts after as_of_date or ends before it starts, none overlaps the next one, no amount is zero or less.
with ledger as (
    select
        ledger.*,
        lead(valid_from) over (partition by customer_id, currency order by valid_from) as next_from
    from {{ ref('fct_customer_mrr') }} as ledger
)

select customer_id, currency, valid_from
from ledger
where
    valid_from > {{ as_of_date() }}
    or valid_to <= valid_from
    or valid_to > {{ as_of_date() }}
    or (next_from is not null and (valid_to is null or valid_to > next_from))
    or mrr_amount <= 0
    or mrr_reporting_amount < 0
