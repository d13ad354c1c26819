{{ config(severity='warn') }}
-- Unit price and quantity do not explain the amount (tiers, transformed quantities), or a change has no period: worth a look.
select source_relation, line_id
from {{ ref('int_revenue__line_exceptions') }}
where not is_blocking
