with episodes as (
    select
        *,
        cast(cast(score_points * 0.01 as decimal(9,2)) as string) as score_text,
        cast(cast(abs(change_points) * 0.01 as decimal(9,2)) as string) as change_text,
        concat(
            case when behaviour_points < 0 then '-' else '+' end, cast(cast(abs(behaviour_points) * 0.01 as decimal(9,2)) as string)
        ) as behaviour_text,
        cast(cast(round(use_trend * 100) as bigint) as string) as use_percent
    from {{ ref('int_worklist__health_episodes') }}
),

paying as (
    select customer_id from {{ ref('int_lifecycle__conditions') }} where condition = 'paying' and valid_to is null
),

reasons as (
    select
        customer_id,
        reason,
        started_on,
        case reason
            when 'health_fell' then concat('Health is ', score_text, case
                when change_points is null then ''
                else concat(
                    ', ', change_text, case when change_points < 0 then ' points less' else ' points more' end,
                    ' than 28 days ago (', behaviour_text, ' by what it did)'
                )
            end)
            when 'use_fell' then concat('Use is ', use_percent, ' % of the 28 days before')
            when 'sponsor_gone' then 'No known sponsor or champion is left'
        end as evidence
    from episodes
    union all
    select * from {{ ref('int_worklist__open_issues') }}
    union all
    select * from {{ ref('int_worklist__solved_feedback') }}
),

-- Only customers that pay today: who has left is won back (fct_success_reasons).
final as (
    select
        reasons.customer_id,
        reasons.reason,
        reasons.started_on,
        reasons.evidence
    from reasons
    inner join paying on reasons.customer_id = paying.customer_id
)

select * from final
