with milestones as (
    select * from {{ ref('int_support_tickets__milestones') }}
),

-- The stretches of days on which any hours hold, with a mark where one begins after days without any. One row per day on which hours
-- begin, so that their order, and with it the stretch, is certain.
schedules as (
    select
        source_relation,
        valid_from,
        max(coalesce(valid_to, cast('9999-12-31' as date))) as valid_to
    from {{ ref('int_support__schedules') }}
    where is_current
    group by source_relation, valid_from
),

marked as (
    select
        *,
        case when valid_from <= max(valid_to) over (
            partition by source_relation order by valid_from rows between unbounded preceding and 1 preceding
        ) then 0 else 1 end as begins
    from schedules
),

stretches as (
    select *, sum(begins) over (partition by source_relation order by valid_from rows unbounded preceding) as stretch_number from marked
),

covered as (
    select
        source_relation,
        min(valid_from) as covered_from,
        max(valid_to) as covered_until
    from stretches
    group by source_relation, stretch_number
),

moments as (
    {%- for moment, column in [('created', 'created_at'), ('reply', 'reply_clock_stopped_at'), ('resolution', 'resolution_clock_stopped_at')] %}
    {{ 'union all' if not loop.first }}
    select source_relation, ticket_id, '{{ moment }}' as moment, {{ column }} as read_at from milestones
    {%- endfor %}
),

timeline as (
    select source_relation, ticket_id, moment, read_at, cast(0 as bigint) as open_seconds, cast(null as timestamp) as closes_at
    from moments
    union all
    select
        source_relation,
        cast(null as string) as ticket_id,
        'opening' as moment,
        opens_at as read_at,
        {{ dbt.datediff('opens_at', 'closes_at', 'second') }} as open_seconds,
        closes_at
    from {{ ref('int_support_tickets__openings') }}
),

running as (
    select
        source_relation,
        ticket_id,
        moment,
        read_at,
        sum(open_seconds) over (partition by source_relation order by read_at) as begun_seconds,
        max(closes_at) over (partition by source_relation order by read_at) as last_closes_at
    from timeline
),

-- Business seconds from the beginning of the world up to each moment: all openings that have begun, less what is left of the
-- last one. The difference of two such readings is the business time between them, over whatever schedules lie there.
readings as (
    select
        source_relation,
        ticket_id,
        moment,
        begun_seconds - case
            when last_closes_at > read_at then {{ dbt.datediff('read_at', 'last_closes_at', 'second') }} else 0
        end as business_seconds
    from running
    where ticket_id is not null
),

clocks as (
    select
        source_relation,
        ticket_id,
        max(case when moment = 'created' then business_seconds end) as created_seconds,
        max(case when moment = 'reply' then business_seconds end) as reply_seconds,
        max(case when moment = 'resolution' then business_seconds end) as resolution_seconds
    from readings
    group by source_relation, ticket_id
),

-- Without a schedule over the whole time there is no business time: NULL, not zero.
final as (
    select
        milestones.source_relation,
        milestones.ticket_id,
        case
            when {{ reporting_date('milestones.reply_clock_stopped_at') }} < covered.covered_until
                then cast(floor((clocks.reply_seconds - clocks.created_seconds) / 60) as bigint)
        end as reply_business_minutes,
        case
            when {{ reporting_date('milestones.resolution_clock_stopped_at') }} < covered.covered_until
                then cast(floor((clocks.resolution_seconds - clocks.created_seconds) / 60) as bigint)
        end as resolution_business_minutes
    from milestones
    inner join clocks on milestones.source_relation = clocks.source_relation and milestones.ticket_id = clocks.ticket_id
    left join covered
        on
            milestones.source_relation = covered.source_relation
            and {{ reporting_date('milestones.created_at') }} >= covered.covered_from
            and {{ reporting_date('milestones.created_at') }} < covered.covered_until
)

select * from final
