-- One tier begins at nothing. Otherwise a customer below all of them, whose head count nobody knows, would be in no table at all.
select min(min_arr) as lowest_min_arr
from {{ ref('tiers') }}
having min(min_arr) > 0
