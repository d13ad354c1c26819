-- Each version of the weights names all seven components of all tiers, and none weighs less than nothing or all nothing. It begins on one day:
-- rows that begin on another would be a version of their own, in which everything else weighs nothing.
with versions as (
    select
        definition_version,
        min(valid_from) as first_valid_from,
        max(valid_from) as last_valid_from
    from {{ ref('health_weights') }}
    group by definition_version
)

select
    versions.definition_version,
    tiers.tier,
    count(weights.component) as components,
    versions.first_valid_from,
    versions.last_valid_from
from versions
cross join {{ ref('tiers') }} as tiers
left join {{ ref('health_weights') }} as weights
    on versions.definition_version = weights.definition_version and tiers.tier = weights.tier
group by versions.definition_version, tiers.tier, versions.first_valid_from, versions.last_valid_from
having
    count(weights.component) <> 7
    or min(weights.weight) < 0
    or sum(weights.weight) = 0
    or versions.first_valid_from <> versions.last_valid_from
