-- From the first payment on each stage begins where the last one ended, and exactly one is open.
with stages as (
    select
        *,
        lag(valid_to) over (partition by customer_id order by valid_from) as previous_valid_to,
        lag(stage) over (partition by customer_id order by valid_from) as stage_before
    from {{ ref('fct_lifecycle_stages') }}
)

select customer_id, valid_from, stage
from stages
where
    valid_to <= valid_from
    or previous_valid_to > valid_from
    or (stage_before is not null and stage_before <> 'prospect' and previous_valid_to is distinct from valid_from)
union all
select customer_id, max(valid_from), 'open intervals'
from stages
where stage <> 'prospect'
group by customer_id
having count(case when valid_to is null then 1 end) <> 1
