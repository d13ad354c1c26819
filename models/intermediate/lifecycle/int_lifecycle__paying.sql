-- The stretches of days on which a customer pays anything, in whatever currency. Each but the first begins with a return.
with intervals as (
    select
        customer_id,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0 and valid_from <= {{ as_of_date() }}
),

marked as (
    select
        *,
        case
            when valid_from <= max(valid_to) over (
                partition by customer_id order by valid_from, valid_to rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as begins
    from intervals
),

numbered as (
    select
        *,
        sum(begins) over (partition by customer_id order by valid_from, valid_to rows unbounded preceding) as stretch_number
    from marked
),

final as (
    select
        customer_id,
        cast(stretch_number as bigint) as stretch_number,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from numbered
    group by customer_id, stretch_number
)

select * from final
