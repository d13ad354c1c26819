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
    select source_relation, source_id, look_alike_id, sum(weight) as score, max(weight) as best_weight
    from (
        select source_relation, source_id, look_alike_id, evidence, max(weight) as weight
        from nearest
        group by source_relation, source_id, look_alike_id, evidence
    ) as counted
    group by source_relation, source_id, look_alike_id
),

candidates as (
    select
        source_relation,
        source_id,
        count(*) as candidates,
        min(look_alike_id) as only_id,
        max(best_weight) as only_weight
    from scores
    group by source_relation, source_id
),

-- nearly every record has one candidate; the others' are put in order
ranked as (
    select
        scores.*,
        max(scores.score) over (partition by scores.source_relation, scores.source_id) as best_score,
        row_number() over (partition by scores.source_relation, scores.source_id order by scores.score desc, scores.look_alike_id) as place
    from scores
    inner join candidates
        on scores.source_relation = candidates.source_relation and scores.source_id = candidates.source_id and candidates.candidates > 1
),

verdicts as (
    select
        source_relation,
        source_id,
        max(case when place = 1 then look_alike_id end) as first_id,
        max(case when place = 1 then best_weight end) as first_weight,
        max(case when place = 2 then look_alike_id end) as second_id,
        max(case when place = 2 then score end) as second_score,
        sum(case when score = best_score then 1 else 0 end) as equals
    from ranked
    group by source_relation, source_id

    union all

    select source_relation, source_id, only_id, only_weight, null, null, 1 from candidates where candidates = 1
),

-- of the customers that look alike the oldest; one key to order by, so that the engine need not sort
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
        and nearest.weight = verdicts.first_weight
        and verdicts.equals = 1
    qualify row_number() over (
        partition by nearest.source_relation, nearest.source_id
        order by {{ age_key('nearest.cluster_created_at', ['nearest.cluster_id', 'nearest.evidence']) }}
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

heads as (
    select *
    from anchored
    qualify row_number() over (
        partition by family
        order by case when cluster_id is null then '2' else '1' end || {{ age_key('created_at', ['source_id']) }}
    ) = 1
),

-- Who follows its family's head: not who was kept apart from the very customer that the head belongs to.
following as (
    select
        anchored.*,
        case when kept_apart.cluster_id is null then heads.record_key else anchored.record_key end as head_key,
        case when kept_apart.cluster_id is null then heads.created_at else anchored.created_at end as head_created_at,
        case when kept_apart.cluster_id is null then heads.cluster_id end as head_cluster_id,
        case when kept_apart.cluster_id is null then heads.cluster_created_at end as head_cluster_created_at,
        case when kept_apart.cluster_id is null then heads.look_alike_id end as head_look_alike_id
    from anchored
    inner join heads on anchored.family = heads.family
    left join kept_apart
        on anchored.source_relation = kept_apart.source_relation
        and anchored.source_id = kept_apart.source_id
        and heads.cluster_id = kept_apart.cluster_id
),

grouped as (
    select
        domain,
        source_relation,
        source_id,
        record_key,
        coalesce(cluster_id, head_cluster_id, head_key) as cluster_id,
        case when cluster_id is null then coalesce(head_cluster_created_at, head_created_at) else cluster_created_at end as cluster_created_at,
        coalesce(look_alike_id, head_look_alike_id, head_key) as look_alike_id,
        coalesce(evidence, case when record_key = head_key then 'anchor' else 'foreign_id' end) as evidence,
        conflict,
        first_id,
        second_id
    from following
),

-- within the domain, the right-hand record of a decided pair follows the left-hand one, wherever that one follows to
pointers_0 as (
    select followers.record_key, min(leaders.record_key) as points_at
    from overrides
    inner join records as followers
        on overrides.source_relation = followers.source_relation and overrides.source_id = followers.source_id
    inner join records as leaders
        on overrides.other_source_relation = leaders.source_relation and overrides.other_source_id = leaders.source_id
    where overrides.other_domain = '{{ domain }}' and overrides.decision = 'link' and overrides.is_follower
    group by followers.record_key
),

{{ followed_pointers() }}

moves as (
    select
        pointers.record_key,
        leaders.cluster_id,
        leaders.cluster_created_at,
        leaders.look_alike_id
    from pointers_5 as pointers
    inner join grouped as leaders on pointers.points_at = leaders.record_key
    left join pointers_0 as circle on pointers.points_at = circle.record_key
    where circle.record_key is null
),

-- who was one customer with the follower, under its id, goes with it
final as (
    select
        grouped.domain,
        grouped.source_relation,
        grouped.source_id,
        coalesce(own.cluster_id, anchors.cluster_id, grouped.cluster_id) as cluster_id,
        case
            when own.cluster_id is not null then own.cluster_created_at
            when anchors.cluster_id is not null then anchors.cluster_created_at
            else grouped.cluster_created_at
        end as cluster_created_at,
        coalesce(own.look_alike_id, anchors.look_alike_id, grouped.look_alike_id) as look_alike_id,
        case when own.cluster_id is null then grouped.evidence else 'override' end as evidence,
        case when own.cluster_id is null then grouped.conflict end as conflict,
        case when own.cluster_id is null and grouped.conflict is not null then grouped.first_id end as rival_cluster_id,
        case when own.cluster_id is null and grouped.conflict is not null then grouped.second_id end as other_rival_cluster_id
    from grouped
    left join moves as own on grouped.record_key = own.record_key
    left join moves as anchors on grouped.cluster_id = anchors.record_key
)

select * from final
{% endmacro %}
