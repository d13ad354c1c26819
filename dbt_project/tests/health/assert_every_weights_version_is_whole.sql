-- Each version of the weights names all seven components of all tiers, and none weighs less than nothing or all nothing.
select
    versions.definition_version,
    tiers.tier,
    count(weights.component) as components
from (select distinct definition_version from {{ ref('health_weights') }}) as versions
cross join {{ ref('tiers') }} as tiers
left join {{ ref('health_weights') }} as weights
    on versions.definition_version = weights.definition_version and tiers.tier = weights.tier
group by versions.definition_version, tiers.tier
having count(weights.component) <> 7 or min(weights.weight) < 0 or sum(weights.weight) = 0
