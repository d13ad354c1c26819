with states as (
    select * from {{ ref('int_lifecycle__states') }} where stage is not null
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

onboardings as (
    select * from {{ ref('int_lifecycle__onboardings') }}
),

marked as (
    select
        *,
        case
            when stage = lag(stage) over (partition by customer_id order by valid_from)
                and valid_from = lag(valid_to) over (partition by customer_id order by valid_from) then 0
            else 1
        end as begins
    from states
),

numbered as (
    select
        *,
        sum(begins) over (partition by customer_id order by valid_from rows unbounded preceding) as stretch_number
    from marked
),

intervals as (
    select
        customer_id,
        stage,
        stretch_number,
        min(valid_from) as valid_from,
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to
    from numbered
    group by customer_id, stage, stretch_number
),

-- a prospect whose deals are all closed is in no stage: the one before such a pause leads nowhere
measured as (
    select
        intervals.*,
        case
            when valid_from = lag(valid_to) over (partition by customer_id order by stretch_number)
                then lag(stage) over (partition by customer_id order by stretch_number)
        end as previous_stage,
        {{ dbt.datediff('valid_from', "coalesce(valid_to, " ~ as_of_date() ~ " + 1)", 'day') }} as days_in_stage
    from intervals
),

final as (
    select
        cast(measured.customer_id as string) as customer_id,
        cast(measured.stage as string) as stage,
        measured.valid_from,
        measured.valid_to,
        cast(measured.previous_stage as string) as previous_stage,
        cast(measured.days_in_stage as bigint) as days_in_stage,
        coalesce(measured.valid_to is null and measured.days_in_stage > stages.stuck_after_days, false) as is_stuck,
        coalesce(
            onboardings.is_judged
            and measured.stage not in ('churned', 'prospect')
            and measured.valid_from >= onboardings.due_on
            and (onboardings.completed_on is null or measured.valid_from < onboardings.completed_on),
            false
        ) as is_onboarding_overdue,
        cast(stages.expected_next_stage as string) as expected_next_stage,
        cast(stages.touchpoint as string) as touchpoint,
        cast(stages.owner_team as string) as owner_team,
        cast('{{ var("run_id") }}' as string) as run_id
    from measured
    inner join stages on measured.stage = stages.stage
    left join onboardings on measured.customer_id = onboardings.customer_id
)

select * from final
