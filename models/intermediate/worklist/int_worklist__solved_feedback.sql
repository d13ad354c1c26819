-- Who raised what has been solved lately, and is not seen to know of it.
with solved as (
    select
        pairs.customer_id,
        solutions.solution_name,
        solutions.theme,
        solutions.launched_on,
        count(*) over (partition by pairs.customer_id) as solutions,
        row_number() over (partition by pairs.customer_id order by solutions.launched_on, solutions.solution_id) as place
    from {{ ref('int_voice__solution_customers') }} as pairs
    inner join {{ ref('solutions') }} as solutions on pairs.solution_id = solutions.solution_id
    inner join {{ ref('worklist_rules') }} as rules on rules.rule = 'feedback_solved_days'
    where pairs.has_raised
        and not pairs.is_aware
        and solutions.status <> 'dropped'
        and solutions.launched_on <= {{ as_of_date() }}
        and solutions.launched_on + cast(rules.value as int) > {{ as_of_date() }}
),

final as (
    select
        customer_id,
        'feedback_solved' as reason,
        launched_on as started_on,
        concat(
            'Raised ', replace(theme, '_', ' '), ', answered since ', cast(launched_on as string), ' by ', solution_name,
            case when solutions > 1 then concat(', and ', cast(solutions - 1 as string), ' more') else '' end
        ) as evidence
    from solved
    where place = 1
)

select * from final
