-- Zendesk asks for good or bad: the ends of the contract's scale, 5 and 1. An offer that nobody answered is no rating.
with ratings as (
    select * from {{ ref('stg_zendesk__satisfaction_ratings') }}
),

scored as (
    select
        ratings.*,
        cast(
            case
                when zendesk_score like 'good%' then 5
                when zendesk_score like 'bad%' then 1
            end as bigint
        ) as score
    from ratings
),

final as (
    select
        rating_id,
        ticket_id,
        score,
        comment,
        rated_at,
        source_relation,
        known_from,
        known_until,
        is_current,
        is_deleted or score is null as is_deleted
    from scored
)

select * from final
