-- Nothing that was billed or given back is left out for want of an exchange rate or a customer, and nothing counts twice.
-- Mend it at the source, or with a rate in seeds/exchange_rates.csv.
select bookings.source_relation, bookings.record, bookings.record_id
from {{ ref('int_retention__bookings') }} as bookings
left join {{ ref('fct_revenue') }} as revenue
    on revenue.revenue_id = cast({{ dbt.hash("concat(bookings.source_relation, '|', bookings.record, '|', bookings.record_id)") }} as string)
where revenue.revenue_id is null and bookings.amount <> 0
union all
select source_relation, 'every row' as record, currency as record_id
from (
    select source_relation, currency, sum(amount) as amount from {{ ref('int_retention__bookings') }} group by source_relation, currency
    union all
    select source_relation, currency, -sum(amount) as amount from {{ ref('fct_revenue') }} group by source_relation, currency
) as both_sides
group by source_relation, currency
having sum(amount) <> 0
