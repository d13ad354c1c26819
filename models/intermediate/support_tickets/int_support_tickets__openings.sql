with schedules as (
    select * from {{ ref('int_support__schedules') }} where is_current
),

span as (
    select min({{ reporting_date('created_at') }}) as first_created_on
    from {{ ref('int_support__tickets') }}
    where is_current and {{ happened('created_at') }} is not null
),

-- 1990-01-01 was a Monday, so the number of a day gives its weekday. Two days on either side cover every time zone.
days as (
    select
        cast('1990-01-01' as date) + cast(numbers.n as int) as local_date,
        numbers.n % 7 + 1 as weekday
    from range(0, 30000) as numbers (n)
    inner join span
        on
            cast('1990-01-01' as date) + cast(numbers.n as int)
            between span.first_created_on + (-2) and {{ as_of_date() }} + 2
),

-- The schedule of a source on a day: where several hold, the one with the lowest id (numbers as numbers), which is the oldest.
schedule_days as (
    select
        schedules.source_relation,
        days.local_date,
        days.weekday,
        schedules.schedule_id
    from schedules
    inner join days
        on days.local_date >= schedules.valid_from and (days.local_date < schedules.valid_to or schedules.valid_to is null)
    group by schedules.source_relation, days.local_date, days.weekday, schedules.schedule_id
    qualify row_number() over (
        partition by schedules.source_relation, days.local_date order by length(schedules.schedule_id), schedules.schedule_id
    ) = 1
),

hours as (
    select
        source_relation,
        schedule_id,
        time_zone,
        weekday,
        valid_from,
        valid_to,
        {%- for end in ['opens', 'closes'] %}
        cast({{ dbt.split_part(end ~ '_at', "':'", 1) }} as int) * 60
        + cast({{ dbt.split_part(end ~ '_at', "':'", 2) }} as int) as {{ end }}_minute{{ ',' if not loop.last }}
        {%- endfor %}
    from schedules
),

-- Hours that end before they begin run past midnight (00:00 to 00:00 is the whole day): each of the two days has its own part of them,
-- for which that day's holiday counts, and whether the hours hold on it.
day_hours as (
    select
        source_relation, schedule_id, time_zone, weekday, valid_from, valid_to, opens_minute,
        case when closes_minute <= opens_minute then 1440 else closes_minute end as closes_minute
    from hours
    union all
    select source_relation, schedule_id, time_zone, weekday % 7 + 1, valid_from, valid_to, 0, closes_minute
    from hours
    where closes_minute <= opens_minute and closes_minute > 0
),

local_openings as (
    select
        schedule_days.source_relation,
        hours.time_zone,
        {{ dbt.dateadd('minute', 'hours.opens_minute', 'cast(schedule_days.local_date as timestamp)') }} as opens_at,
        {{ dbt.dateadd('minute', 'hours.closes_minute', 'cast(schedule_days.local_date as timestamp)') }} as closes_at
    from schedule_days
    inner join day_hours as hours
        on
            schedule_days.source_relation = hours.source_relation
            and schedule_days.schedule_id = hours.schedule_id
            and schedule_days.weekday = hours.weekday
            and schedule_days.local_date >= hours.valid_from
            and (schedule_days.local_date < hours.valid_to or hours.valid_to is null)
    left join {{ ref('int_support__holidays') }} as holidays
        on
            schedule_days.source_relation = holidays.source_relation
            and schedule_days.schedule_id = holidays.schedule_id
            and schedule_days.local_date between holidays.starts_on and holidays.ends_on
            and holidays.is_current
    where holidays.schedule_id is null
),

-- What the clock on the wall shows, stretch by stretch between clock changes: an hour that it shows twice is open twice, one that it skips never.
openings as (
    select
        local_openings.source_relation,
        greatest({{ dbt.dateadd('second', '-offsets.offset_seconds', 'local_openings.opens_at') }}, offsets.begins_at) as opens_at,
        least({{ dbt.dateadd('second', '-offsets.offset_seconds', 'local_openings.closes_at') }}, offsets.ends_at) as closes_at
    from local_openings
    inner join {{ ref('int_support_tickets__offsets') }} as offsets on local_openings.time_zone = offsets.time_zone
),

-- Openings may overlap (two shifts, a change of schedule between time zones): no minute counts twice.
disjoint as (
    select
        source_relation,
        greatest(opens_at, coalesce(max(closes_at) over (
            partition by source_relation order by opens_at, closes_at rows between unbounded preceding and 1 preceding
        ), opens_at)) as opens_at,
        closes_at
    from openings
    where opens_at < closes_at
),

final as (
    select source_relation, opens_at, closes_at from disjoint where opens_at < closes_at
)

select * from final
