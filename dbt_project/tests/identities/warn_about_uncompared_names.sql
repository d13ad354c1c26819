{{ config(severity='warn') }}
-- Beginnings that so many names share that they are not compared for doubles; var name_comparisons says how many may be.
select block, count(*) as customers
from {{ ref('int_identities__name_blocks') }}
where not is_compared
group by block
