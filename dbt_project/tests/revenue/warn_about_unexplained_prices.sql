{{ config(severity='warn') }}
-- Unit price and quantity do not explain the amount (tiers, transformed quantities): counted by the amount, worth a look.
select source_relation, line_id
from {{ ref('int_revenue__line_exceptions') }}
where is_counted
