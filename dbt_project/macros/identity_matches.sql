{#
  First half of anchor_records, as common table expressions: which customers of the `earlier` domains each record of `domain`
  shares a key with (`nearest`: one row per record, evidence and customer), without those that a person keeps apart from it.
  An account id means a CRM account, or the same account that another system of this tenant names. Where several tenants
  match, the nearest one counts: the same source, then the same tenant, then any.
#}
{% macro identity_matches(domain, earlier) %}
known as (
    {%- for model in earlier %}
    select domain, source_relation, source_id, cluster_id, cluster_created_at, look_alike_id from {{ ref(model) }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

overrides as (
    select * from {{ ref('int_identities__overrides') }}
    where domain = '{{ domain }}'
),

matches as (
    select
        own.source_relation,
        own.source_id,
        own.evidence,
        known.cluster_id,
        max(own.weight) as weight,
        max(known.cluster_created_at) as cluster_created_at,
        max(known.look_alike_id) as look_alike_id,
        min(case
            when own.evidence = 'foreign_id' and own.source_relation = theirs.source_relation then 1
            when own.tenant = theirs.tenant then 2
            else 3
        end) as distance
    from {{ ref('int_identities__keys') }} as own
    inner join {{ ref('int_identities__keys') }} as theirs
        on own.evidence = theirs.evidence
        and own.key_value = theirs.key_value
        and own.domain <> theirs.domain
    inner join known
        on theirs.domain = known.domain
        and theirs.source_relation = known.source_relation
        and theirs.source_id = known.source_id
    where own.domain = '{{ domain }}'
        and (own.country is null or theirs.country is null or own.country = theirs.country)
        and (own.evidence <> 'foreign_id' or theirs.domain = 'crm' or own.tenant = theirs.tenant)
    group by own.source_relation, own.source_id, own.evidence, known.cluster_id

    union all

    select
        overrides.source_relation,
        overrides.source_id,
        'override',
        known.cluster_id,
        evidence.weight,
        known.cluster_created_at,
        known.look_alike_id,
        1
    from overrides
    inner join known
        on overrides.other_domain = known.domain
        and overrides.other_source_relation = known.source_relation
        and overrides.other_source_id = known.source_id
    inner join {{ ref('identity_evidence') }} as evidence on evidence.evidence = 'override'
    where overrides.decision = 'link'
),

kept_apart as (
    select
        overrides.source_relation,
        overrides.source_id,
        known.cluster_id
    from overrides
    inner join known
        on overrides.other_domain = known.domain
        and overrides.other_source_relation = known.source_relation
        and overrides.other_source_id = known.source_id
    where overrides.decision = 'keep_apart'
    group by overrides.source_relation, overrides.source_id, known.cluster_id
),

allowed as (
    select matches.*
    from matches
    left join kept_apart
        on matches.source_relation = kept_apart.source_relation
        and matches.source_id = kept_apart.source_id
        and matches.cluster_id = kept_apart.cluster_id
    where kept_apart.cluster_id is null
),

-- of all that match: that a person said no to the nearest does not make a farther tenant's the one that is meant
distances as (
    select source_relation, source_id, evidence, min(distance) as distance
    from matches
    group by source_relation, source_id, evidence
),

nearest as (
    select allowed.*
    from allowed
    inner join distances
        on allowed.source_relation = distances.source_relation
        and allowed.source_id = distances.source_id
        and allowed.evidence = distances.evidence
        and allowed.distance = distances.distance
)
{% endmacro %}

{#
  CTEs pointers_1 to pointers_5, each doubling what it follows of pointers_0 (record_key, points_at): together chains of 32 steps. A record
  in a circle never gets out of it; who uses this decides what that means.
#}
{% macro followed_pointers() -%}
{% for round in range(1, 6) -%}
pointers_{{ round }} as (
    select near.record_key, coalesce(far.points_at, near.points_at) as points_at
    from pointers_{{ round - 1 }} as near
    left join pointers_{{ round - 1 }} as far on near.points_at = far.record_key
)
{{- "," if loop.last else ",\n\n" }}
{%- endfor %}
{%- endmacro %}
