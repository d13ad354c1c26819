{#
  Finds, for each record of one domain, the customer among those of the `earlier` domains whose record it is.

  Each key that a record shares with a customer's records counts the weight of its evidence (seed identity_evidence; each
  weight exceeds the sum of the weaker ones, so the strongest evidence decides and the weaker break ties). The customer
  with the highest sum gets the record. Two customers with equally much is a conflict: the record goes to neither, and both are named
  for the review queue. Records without a customer become one of their own; those of one system that name the same
  account become one together. Two records of one system never meet through an e-mail, a domain or a name.
#}
{% macro anchor_records(domain, earlier) %}
with {{ identity_matches(domain, earlier) }},

records as (
    select
        *,
        domain || '|' || source_relation || '|' || source_id as record_key
    from {{ ref('int_identities__records') }}
    where domain = '{{ domain }}'
),

-- customers that look alike count as one
scores as (
    select source_relation, source_id, look_alike_id, sum(weight) as score
    from (
        select source_relation, source_id, look_alike_id, evidence, max(weight) as weight
        from nearest
        group by source_relation, source_id, look_alike_id, evidence
    ) as counted
    group by source_relation, source_id, look_alike_id
),

ranked as (
    select
        *,
        max(score) over (partition by source_relation, source_id) as best_score,
        row_number() over (partition by source_relation, source_id order by score desc, look_alike_id) as place
    from scores
),

verdicts as (
    select
        source_relation,
        source_id,
        max(case when place = 1 then look_alike_id end) as first_id,
        max(case when place = 2 then look_alike_id end) as second_id,
        max(case when place = 2 then score end) as second_score,
        max(best_score) as best_score,
        sum(case when score = best_score then 1 else 0 end) as equals
    from ranked
    group by source_relation, source_id
),

chosen as (
    select
        nearest.source_relation,
        nearest.source_id,
        nearest.cluster_id,
        nearest.cluster_created_at,
        nearest.look_alike_id,
        nearest.evidence
    from nearest
    inner join verdicts
        on nearest.source_relation = verdicts.source_relation
        and nearest.source_id = verdicts.source_id
        and nearest.look_alike_id = verdicts.first_id
        and verdicts.equals = 1
    qualify row_number() over (
        partition by nearest.source_relation, nearest.source_id
        order by nearest.weight desc, nearest.cluster_created_at nulls last, nearest.cluster_id, nearest.evidence
    ) = 1
),

anchored as (
    select
        records.domain,
        records.source_relation,
        records.source_id,
        records.record_key,
        records.created_at,
        chosen.cluster_id,
        chosen.cluster_created_at,
        chosen.look_alike_id,
        chosen.evidence,
        case
            when verdicts.equals > 1 then 'ambiguous'
            when verdicts.second_score >= strong.weight and chosen.evidence <> 'override' then 'contradiction'
        end as conflict,
        verdicts.first_id,
        verdicts.second_id,
        -- who stands apart from a record of its own system does not follow the account id that they share
        records.source_relation || '|' || case
            when apart.source_id is null then coalesce('account|' || records.account_id, 'record|' || records.source_id)
            else 'record|' || records.source_id
        end as family
    from records
    left join chosen on records.source_relation = chosen.source_relation and records.source_id = chosen.source_id
    left join verdicts on records.source_relation = verdicts.source_relation and records.source_id = verdicts.source_id
    left join (
        select source_relation, source_id
        from overrides
        where other_domain = '{{ domain }}' and decision = 'keep_apart'
        group by source_relation, source_id
    ) as apart
        on records.source_relation = apart.source_relation and records.source_id = apart.source_id
    cross join (select weight from {{ ref('identity_evidence') }} where evidence = 'email') as strong
),

headed as (
    select
        *,
        row_number() over (partition by family order by case when cluster_id is null then 1 else 0 end, created_at nulls last, source_id) as place
    from anchored
),

grouped as (
    select
        headed.domain,
        headed.source_relation,
        headed.source_id,
        headed.record_key,
        coalesce(headed.cluster_id, heads.cluster_id, heads.record_key) as cluster_id,
        case
            when headed.cluster_id is null then coalesce(heads.cluster_created_at, heads.created_at) else headed.cluster_created_at
        end as cluster_created_at,
        coalesce(headed.look_alike_id, heads.look_alike_id, heads.record_key) as look_alike_id,
        coalesce(headed.evidence, case when headed.place = 1 then 'anchor' else 'foreign_id' end) as evidence,
        headed.conflict,
        headed.first_id,
        headed.second_id
    from headed
    inner join headed as heads on headed.family = heads.family and heads.place = 1
),

-- within the domain, the right-hand record of a decided pair follows the left-hand one
final as (
    select
        grouped.domain,
        grouped.source_relation,
        grouped.source_id,
        coalesce(leader.cluster_id, grouped.cluster_id) as cluster_id,
        case when leader.cluster_id is null then grouped.cluster_created_at else leader.cluster_created_at end as cluster_created_at,
        coalesce(leader.look_alike_id, grouped.look_alike_id) as look_alike_id,
        case when leader.cluster_id is null then grouped.evidence else 'override' end as evidence,
        case when leader.cluster_id is null then grouped.conflict end as conflict,
        case when leader.cluster_id is null and grouped.conflict is not null then grouped.first_id end as rival_cluster_id,
        case when leader.cluster_id is null and grouped.conflict is not null then grouped.second_id end as other_rival_cluster_id
    from grouped
    left join overrides
        on grouped.source_relation = overrides.source_relation
        and grouped.source_id = overrides.source_id
        and overrides.other_domain = '{{ domain }}'
        and overrides.decision = 'link'
        and overrides.is_follower
    left join grouped as leader
        on overrides.other_source_relation = leader.source_relation
        and overrides.other_source_id = leader.source_id
    qualify row_number() over (partition by grouped.domain, grouped.source_relation, grouped.source_id order by leader.cluster_id nulls last) = 1
)

select * from final
{% endmacro %}
