-- Each row of seed identity_overrides names two records by domain, source and id, no pair is decided twice (the other way round neither),
-- and nobody follows two records of its own system's domain: only one of them could be followed. `problem` says what is wrong with a row.
with overrides as (
    select
        trim(left_domain) as left_domain,
        trim(left_source_relation) as left_source_relation,
        trim(left_source_id) as left_source_id,
        trim(right_domain) as right_domain,
        trim(right_source_relation) as right_source_relation,
        trim(right_source_id) as right_source_id,
        lower(trim(decision)) as decision,
        reason
    from {{ ref('identity_overrides') }}
),

named as (
    select
        *,
        left_domain || '|' || left_source_relation || '|' || left_source_id as left_record,
        right_domain || '|' || right_source_relation || '|' || right_source_id as right_record
    from overrides
),

counted as (
    select
        *,
        count(*) over (partition by least(left_record, right_record), greatest(left_record, right_record)) as decisions,
        sum(case when decision = 'link' and left_domain = right_domain then 1 else 0 end) over (partition by right_record) as leaders
    from named
),

judged as (
    select
        left_record,
        right_record,
        decision,
        case
            when coalesce(left_domain, '') not in ('crm', 'billing', 'support', 'product', 'surveys') then 'left_domain is none'
            when coalesce(right_domain, '') not in ('crm', 'billing', 'support', 'product', 'surveys') then 'right_domain is none'
            when coalesce(left_source_relation, '') = '' or coalesce(left_source_id, '') = '' then 'the left record is not named in full'
            when coalesce(right_source_relation, '') = '' or coalesce(right_source_id, '') = '' then 'the right record is not named in full'
            when left_record = right_record then 'both sides are one record'
            when reason is null or trim(reason) = '' then 'no reason'
            when decisions > 1 then 'the pair is decided twice'
            when leaders > 1 and decision = 'link' and left_domain = right_domain
                then 'the right record follows two: link the second to the first, or write it on the left'
        end as problem
    from counted
)

select * from judged where problem is not null
