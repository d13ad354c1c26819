with zones as (
    select time_zone
    from {{ ref('int_support__schedules') }}
    where is_current and time_zone is not null
    group by time_zone
),

span as (
    select min({{ reporting_date('created_at') }}) as first_created_on
    from {{ ref('int_support__tickets') }}
    where is_current and {{ happened('created_at') }} is not null
),

-- Each zone's clock at every midnight of UTC. Four days on either side reach beyond the days whose hours are laid out.
midnights as (
    select
        zones.time_zone,
        cast(cast('1990-01-01' as date) + cast(numbers.n as int) as timestamp) as read_at
    from zones
    cross join span
    inner join range(0, 30000) as numbers (n)
        on cast('1990-01-01' as date) + cast(numbers.n as int) between span.first_created_on + (-4) and {{ as_of_date() }} + 4
),

readings as (
    select
        time_zone,
        read_at,
        {{ dbt.datediff('read_at', utc_to_local('read_at', 'time_zone'), 'second') }} as offset_seconds
    from midnights
),

compared as (
    select
        *,
        lag(read_at) over (partition by time_zone order by read_at) as previous_read_at,
        lag(offset_seconds) over (partition by time_zone order by read_at) as previous_offset_seconds
    from readings
),

-- The few days on which the clocks changed, minute by minute: the change is the first minute that shows the new offset.
minutes as (
    select
        compared.time_zone,
        compared.read_at,
        compared.offset_seconds,
        {{ dbt.dateadd('minute', 'cast(numbers.n as int)', 'compared.previous_read_at') }} as shown_at
    from compared
    inner join range(1, 1441) as numbers (n) on compared.offset_seconds <> compared.previous_offset_seconds
),

beginnings as (
    select time_zone, offset_seconds, read_at as begins_at
    from compared
    where previous_read_at is null
    union all
    select time_zone, offset_seconds, min(shown_at) as begins_at
    from minutes
    where {{ dbt.datediff('shown_at', utc_to_local('shown_at', 'time_zone'), 'second') }} = offset_seconds
    group by time_zone, read_at, offset_seconds
),

final as (
    select
        time_zone,
        begins_at,
        lead(begins_at) over (partition by time_zone order by begins_at) as ends_at,
        offset_seconds
    from beginnings
)

select * from final
