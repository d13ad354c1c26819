-- What a person decided, readable from either side.
with decided as (
    select
        trim(left_domain) as left_domain,
        trim(left_source_relation) as left_source_relation,
        trim(left_source_id) as left_source_id,
        trim(right_domain) as right_domain,
        trim(right_source_relation) as right_source_relation,
        trim(right_source_id) as right_source_id,
        lower(trim(decision)) as decision
    from {{ ref('identity_overrides') }}
),

final as (
    select
        left_domain as domain,
        left_source_relation as source_relation,
        left_source_id as source_id,
        right_domain as other_domain,
        right_source_relation as other_source_relation,
        right_source_id as other_source_id,
        decision,
        false as is_follower
    from decided

    union all

    select
        right_domain,
        right_source_relation,
        right_source_id,
        left_domain,
        left_source_relation,
        left_source_id,
        decision,
        true
    from decided
)

select * from final
