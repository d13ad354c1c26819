{%- set monday = "cast('1900-01-01' as date)" -%}
-- From the year of the oldest record or revenue to the end of the year after as_of_date (renewals and due dates lie ahead).
with moments as (
    select min({{ reporting_date('created_at') }}) as first_on from {{ ref('int_identities__customers') }}
    union all
    select min(booked_on) as first_on from {{ ref('int_retention__bookings') }}
    union all
    select min(valid_from) as first_on from {{ ref('int_revenue__mrr_intervals') }}
    union all
    select {{ as_of_date() }} as first_on
),

bounds as (
    select
        greatest(cast(date_trunc('year', min(first_on)) as date), {{ as_of_date() }} - 36500) as first_day,
        cast(date_trunc('year', cast({{ dbt.dateadd('year', 2, as_of_date()) }} as date)) as date) as end_day
    from moments
),

days as (
    select cast(bounds.first_day + cast(numbers.n as int) as date) as date_day
    from bounds
    cross join range(0, 38000) as numbers (n)
    where bounds.first_day + cast(numbers.n as int) < bounds.end_day
),

measured as (
    select
        date_day,
        cast(extract(year from date_day) as int) as year_number,
        cast(extract(quarter from date_day) as int) as quarter_number,
        cast(extract(month from date_day) as int) as month_number,
        cast(extract(day from date_day) as int) as day_of_month,
        cast({{ dbt.datediff(monday, 'date_day', 'day') }} % 7 as int) + 1 as day_of_week
    from days
),

final as (
    select
        date_day,
        year_number,
        quarter_number,
        month_number,
        substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * month_number - 2, 3) as month_name,
        day_of_month,
        day_of_week,
        substr('MonTueWedThuFriSatSun', 3 * day_of_week - 2, 3) as day_name,
        cast(date_day - (day_of_week - 1) as date) as week_start,
        cast(date_trunc('month', date_day) as date) as month_start,
        last_day(date_day) as month_end,
        cast(date_trunc('quarter', date_day) as date) as quarter_start,
        cast(date_trunc('year', date_day) as date) as year_start,
        day_of_week > 5 as is_weekend,
        date_day = last_day(date_day) as is_month_end,
        date_day <= {{ as_of_date() }} as has_happened,
        '{{ var("run_id") }}' as run_id
    from measured
)

select * from final
