-- Each event of a ticket: the day that puts it into a month, what the clock then said, and whether all was well.
{%- set events = [
    ('escalated', reporting_date('first_escalated_at'), 'null', 'null', 'null'),
    ('replied', reporting_date('first_replied_at'), 'first_reply_minutes', 'first_reply_business_minutes', 'null'),
    ('resolved', reporting_date('resolved_at'), 'resolution_minutes', 'resolution_business_minutes', 'null'),
    ('promised_reply', reporting_date('coalesce(first_replied_at, resolved_at)'), 'null', 'null', 'not is_sla_breached'),
    ('promised_resolution', reporting_date('resolved_at'), 'null', 'null', 'not is_resolution_breached'),
    ('rated', reporting_date('satisfaction_rated_at'), 'null', 'null', 'satisfaction_score >= 4'),
] %}
{%- set counts = ['opened', 'reopened', 'solved'] + events | map(attribute=0) | list %}
{%- set goods = ['promised_reply', 'promised_resolution', 'rated'] %}
{%- set medians = ['replied_minutes', 'replied_business_minutes', 'resolved_minutes', 'resolved_business_minutes'] %}
with tickets as (
    select *, coalesce(sla_tier, 'unknown') as tier from {{ ref('fct_tickets') }}
),

waits as (
    select tickets.tier, tickets.category, intervals.interval_number, intervals.opened_at, intervals.solved_at
    from {{ ref('int_support_tickets__open_intervals') }} as intervals
    inner join tickets on intervals.source_relation = tickets.source_relation and intervals.ticket_id = tickets.ticket_id
),

happenings as (
    select
        tier, category, case when interval_number = 1 then 'opened' else 'reopened' end as event,
        {{ reporting_date('opened_at') }} as happened_on,
        cast(null as bigint) as minutes, cast(null as bigint) as business_minutes, cast(null as boolean) as is_good
    from waits
    union all
    select tier, category, 'solved', {{ reporting_date('solved_at') }}, null, null, null from waits
    {%- for event, happened_on, minutes, business_minutes, is_good in events %}
    union all
    select tier, category, '{{ event }}', {{ happened_on }}, {{ minutes }}, {{ business_minutes }}, {{ is_good }} from tickets
    {%- endfor %}
    -- a promise that is broken while its clock still runs; one that still can be kept is not decided
    union all
    select tier, category, 'promised_reply', {{ as_of_date() }}, null, null, false
    from tickets
    where is_sla_breached and first_replied_at is null and resolved_at is null
    union all
    select tier, category, 'promised_resolution', {{ as_of_date() }}, null, null, false
    from tickets
    where is_resolution_breached and resolved_at is null
),

counted as (
    select
        tier, category, cast(date_trunc('month', happened_on) as date) as month
        {%- for median in medians %},
        median(case when event = '{{ median.split('_')[0] }}' then {{ median.split('_', 1)[1] }} end) as {{ median }}
        {%- endfor %}
        {%- for event in counts %},
        sum(case when event = '{{ event }}'{{ ' and is_good is not null' if event in goods }} then 1 else 0 end) as {{ event }}
        {%- endfor %}
        {%- for event in goods %},
        sum(case when event = '{{ event }}' and is_good then 1 else 0 end) as good_{{ event }}
        {%- endfor %}
    from happenings
    where happened_on is not null
    group by tier, category, cast(date_trunc('month', happened_on) as date)
),

groups as (
    select
        tickets.tier, tickets.category, begun.first_month,
        max(case when tickets.is_escalated is not null then 1 else 0 end) = 1 as has_log
    from tickets
    inner join (select tier, category, min(month) as first_month from counted group by tier, category) as begun
        on tickets.tier = begun.tier and tickets.category = begun.category
    group by tickets.tier, tickets.category, begun.first_month
),

months as (
    select groups.*, cast({{ dbt.dateadd('month', 'numbers.n', 'groups.first_month') }} as date) as month
    from groups
    inner join range(0, 1200) as numbers (n) on {{ dbt.dateadd('month', 'numbers.n', 'groups.first_month') }} <= {{ as_of_date() }}
),

filled as (
    select
        months.month, months.tier, months.category, months.has_log, {{ medians | join(', ') }}
        {%- for count in counts + ['good_promised_reply', 'good_promised_resolution', 'good_rated'] %},
        cast(coalesce(counted.{{ count }}, 0) as bigint) as {{ count }}
        {%- endfor %}
    from months
    left join counted on months.tier = counted.tier and months.category = counted.category and months.month = counted.month
),

final as (
    select
        month, cast(tier as string) as tier, cast(category as string) as category,
        cast(sum(opened + reopened - solved) over backlog - (opened + reopened - solved) as bigint) as opening_backlog,
        opened as tickets_opened, case when has_log then reopened end as tickets_reopened, solved as tickets_solved,
        cast(sum(opened + reopened - solved) over backlog as bigint) as closing_backlog,
        case when has_log then escalated end as tickets_escalated, case when has_log then replied end as tickets_replied,
        cast(replied_minutes as decimal(18,4)) as first_reply_minutes_median,
        cast(replied_business_minutes as decimal(18,4)) as first_reply_business_minutes_median, resolved as tickets_resolved,
        cast(resolved_minutes as decimal(18,4)) as resolution_minutes_median,
        cast(resolved_business_minutes as decimal(18,4)) as resolution_business_minutes_median,
        promised_reply as reply_promises_decided, good_promised_reply as reply_promises_kept,
        {{ to_money('cast(good_promised_reply as double) / nullif(promised_reply, 0)') }} as reply_sla_attainment,
        promised_resolution as resolution_promises_decided, good_promised_resolution as resolution_promises_kept,
        {{ to_money('cast(good_promised_resolution as double) / nullif(promised_resolution, 0)') }} as resolution_sla_attainment,
        rated as ratings, {{ to_money('cast(good_rated as double) / nullif(rated, 0)') }} as csat,
        cast('{{ var("run_id") }}' as string) as run_id
    from filled
    window backlog as (partition by tier, category order by month rows unbounded preceding)
)

select * from final
