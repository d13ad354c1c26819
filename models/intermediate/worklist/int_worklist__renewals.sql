-- Renewals that are due and have something against them.
with issues as (
    select * from {{ ref('int_worklist__open_issues') }}
),

today as (
    select * from {{ ref('int_health__daily') }} where as_of_date = {{ as_of_date() }}
),

green as (
    select min_score * 100 as green_points from {{ ref('health_bands') }} where band = 'green'
),

renewing as (
    select
        customer_id,
        min(renews_on) as renews_on
    from {{ ref('int_lifecycle__renewals') }}
    where renews_on > {{ as_of_date() }}
    group by customer_id
),

final as (
    select
        renewing.customer_id,
        'renewal_at_risk' as reason,
        renewing.renews_on - cast(thresholds.value as int) as started_on,
        concat(
            'Renews on ', cast(renewing.renews_on as string), ':',
            case
                when today.score_points < green.green_points
                    then concat(' health ', cast(cast(today.score_points * 0.01 as decimal(9,2)) as string), ';')
                else ''
            end,
            case when escalated.customer_id is not null then ' an escalation is open;' else '' end,
            case when overdue.customer_id is not null then ' a payment is overdue;' else '' end,
            case when today.sponsor_active = 0 then ' the sponsor is gone;' else '' end
        ) as evidence
    from renewing
    cross join green
    inner join {{ ref('lifecycle_thresholds') }} as thresholds on thresholds.threshold = 'renewal_days'
    left join today on renewing.customer_id = today.customer_id
    left join issues as escalated on renewing.customer_id = escalated.customer_id and escalated.reason = 'escalation_open'
    left join issues as overdue on renewing.customer_id = overdue.customer_id and overdue.reason = 'payment_overdue'
    where renewing.renews_on - cast(thresholds.value as int) <= {{ as_of_date() }}
        and (
            coalesce(today.score_points < green.green_points, false)
            or escalated.customer_id is not null
            or overdue.customer_id is not null
            or coalesce(today.sponsor_active = 0, false)
        )
)

select * from final
