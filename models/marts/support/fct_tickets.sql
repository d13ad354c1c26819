with tickets as (
    select * from {{ ref('int_support__tickets') }} where is_current
),

milestones as (
    select * from {{ ref('int_support_tickets__milestones') }}
),

business_time as (
    select * from {{ ref('int_support_tickets__business_time') }}
),

sla as (
    select * from {{ ref('int_support_tickets__sla') }}
),

categories as (
    select * from {{ ref('int_support_tickets__categories') }}
),

ratings as (
    select
        source_relation,
        ticket_id,
        score,
        rated_at,
        row_number() over (partition by source_relation, ticket_id order by rated_at desc, rating_id desc) as place
    from {{ ref('int_support__satisfaction') }}
    where is_current and {{ happened('rated_at') }} is not null
),

joined as (
    select
        tickets.ticket_id,
        tickets.source_relation,
        sla.customer_id,
        milestones.created_at,
        milestones.first_replied_at,
        milestones.resolved_at,
        cast(floor(
            {{ dbt.datediff('milestones.created_at', 'milestones.reply_clock_stopped_at', 'second') }} / 60
        ) as bigint) as reply_minutes,
        business_time.reply_business_minutes,
        cast(floor(
            {{ dbt.datediff('milestones.created_at', 'milestones.resolution_clock_stopped_at', 'second') }} / 60
        ) as bigint) as resolution_minutes,
        business_time.resolution_business_minutes,
        sla.sla_tier,
        sla.sla_priority,
        sla.first_reply_target_minutes,
        sla.resolution_target_minutes,
        coalesce(categories.category, 'other') as category,
        tickets.priority,
        tickets.status,
        tickets.channel,
        milestones.reopens,
        milestones.is_escalated,
        milestones.first_escalated_at,
        milestones.agent_replies,
        milestones.customer_replies,
        ratings.score,
        ratings.rated_at,
        milestones.data_flag
    from milestones
    inner join tickets on milestones.source_relation = tickets.source_relation and milestones.ticket_id = tickets.ticket_id
    inner join business_time
        on milestones.source_relation = business_time.source_relation and milestones.ticket_id = business_time.ticket_id
    inner join sla on milestones.source_relation = sla.source_relation and milestones.ticket_id = sla.ticket_id
    left join categories on milestones.source_relation = categories.source_relation and milestones.ticket_id = categories.ticket_id
    left join ratings
        on milestones.source_relation = ratings.source_relation and milestones.ticket_id = ratings.ticket_id and ratings.place = 1
),

-- The SLA clocks tick in business minutes where the source has a schedule, else by the calendar. A clock that still runs is read
-- at the end of as_of_date; one that data_flag calls broken breaches nothing (a reply before the opening breaks the clock of the reply only).
final as (
    select
        cast(ticket_id as string) as ticket_id,
        cast(source_relation as string) as source_relation,
        cast(customer_id as string) as customer_id,
        cast(created_at as timestamp) as created_at,
        cast(first_replied_at as timestamp) as first_replied_at,
        cast(resolved_at as timestamp) as resolved_at,
        case when first_replied_at is not null then reply_minutes end as first_reply_minutes,
        case when first_replied_at is not null then reply_business_minutes end as first_reply_business_minutes,
        case when resolved_at is not null then resolution_minutes end as resolution_minutes,
        case when resolved_at is not null then resolution_business_minutes end as resolution_business_minutes,
        cast(first_reply_target_minutes as bigint) as sla_target_minutes,
        case
            when data_flag is null or first_replied_at is not null
                then coalesce(reply_business_minutes, reply_minutes) > first_reply_target_minutes
        end as is_sla_breached,
        cast(resolution_target_minutes as bigint) as resolution_target_minutes,
        case
            when data_flag is null or data_flag = 'replied_before_opened' or resolved_at is not null
                then coalesce(resolution_business_minutes, resolution_minutes) > resolution_target_minutes
        end as is_resolution_breached,
        cast(sla_tier as string) as sla_tier,
        cast(sla_priority as string) as sla_priority,
        cast(category as string) as category,
        cast(priority as string) as priority,
        cast(status as string) as status,
        cast(channel as string) as channel,
        cast(reopens as bigint) as reopens,
        is_escalated,
        cast(first_escalated_at as timestamp) as first_escalated_at,
        cast(agent_replies as bigint) as agent_replies,
        cast(customer_replies as bigint) as customer_replies,
        cast(score as bigint) as satisfaction_score,
        cast(rated_at as timestamp) as satisfaction_rated_at,
        cast(data_flag as string) as data_flag,
        cast('{{ var("run_id") }}' as string) as run_id
    from joined
)

select * from final
