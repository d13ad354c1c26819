-- The calendar has no hole, begins on a 1 January no later than the first revenue, ends on a 31 December after as_of_date, and knows that
-- 29 February 2024 was a Thursday.
with dates as (
    select
        dates.*,
        lag(date_day) over (order by date_day) as day_before
    from {{ ref('dim_dates') }} as dates
)

select date_day, 'a day is missing before it' as problem
from dates
where day_before is not null and date_day <> day_before + 1
union all
select min(date_day) as date_day, 'it starts or ends on the wrong day' as problem
from dates
having min(date_day) <> min(year_start)
    or max(date_day) <= {{ as_of_date() }}
    or max(month_number * 100 + day_of_month) <> 1231
    or min(date_day) > (select min(booked_on) from {{ ref('fct_revenue') }})
union all
select date_day, 'the week is wrong' as problem
from dates
where (date_day = cast('2024-02-29' as date) and (day_name <> 'Thu' or not is_month_end or week_start <> cast('2024-02-26' as date)))
    or date_day < week_start or date_day > week_start + 6
