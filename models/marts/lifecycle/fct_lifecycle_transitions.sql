with intervals as (
    select * from {{ ref('fct_lifecycle_stages') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

impossible as (
    select * from {{ ref('lifecycle_impossible_transitions') }}
),

final as (
    select
        cast(intervals.customer_id as string) as customer_id,
        intervals.valid_from as moved_on,
        cast(intervals.previous_stage as string) as from_stage,
        cast(intervals.stage as string) as to_stage,
        coalesce(intervals.stage = before.expected_next_stage, false) as is_expected,
        impossible.from_stage is not null as is_impossible,
        cast(stages.hand_off as string) as hand_off,
        cast('{{ var("run_id") }}' as string) as run_id
    from intervals
    inner join stages on intervals.stage = stages.stage
    left join stages as before on intervals.previous_stage = before.stage
    left join impossible on intervals.previous_stage = impossible.from_stage and intervals.stage = impossible.to_stage
)

select * from final
