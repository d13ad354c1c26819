-- The months from the first movement (under any set of rules) to as_of_date, with the days whose evenings are compared: before the
-- month, its last (or the last so far), and a year before that.
with movements as (
    select min(moved_on) as first_on from {{ ref('int_revenue__ruled_movements') }}
),

numbered as (
    select
        cast({{ dbt.dateadd('month', 'numbers.n', "cast(date_trunc('month', movements.first_on) as date)") }} as date) as month
    from movements
    cross join range(0, 1200) as numbers (n)
    where movements.first_on is not null
),

bounded as (
    select
        month,
        cast({{ dbt.dateadd('day', -1, 'month') }} as date) as opens_on,
        least(last_day(month), {{ as_of_date() }}) as closes_on
    from numbered
    where month <= {{ as_of_date() }}
),

final as (
    select
        month,
        opens_on,
        closes_on,
        closes_on = last_day(month) as is_complete,
        case
            when closes_on = last_day(month) then last_day({{ dbt.dateadd('month', -12, 'month') }})
            else cast({{ dbt.dateadd('month', -12, 'closes_on') }} as date)
        end as year_before_on
    from bounded
)

select * from final
