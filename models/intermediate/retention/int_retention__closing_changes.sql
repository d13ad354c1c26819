-- What each line and credit brings at the end of each complete month, as known on that day and as known now, where the two differ.
with months as (
    select month, closes_on
    from {{ ref('int_revenue__months') }}
    where is_complete
),

items as (
    select * from {{ ref('int_retention__mrr_items') }}
),

compared as (
    select
        months.month,
        months.closes_on,
        items.source_relation,
        items.record,
        items.record_id,
        items.line_id,
        items.customer_id,
        items.currency,
        {% for name, day in [('then', 'months.closes_on'), ('now', as_of_date())] -%}
        sum(case
            when items.known_from <= {{ day }} and (items.known_until is null or items.known_until > {{ day }})
                then items.monthly_rate_reporting
            else 0
        end) as mrr_{{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from months
    inner join items
        on months.closes_on >= items.active_from
            and months.closes_on < items.active_until
    group by
        months.month, months.closes_on, items.source_relation, items.record, items.record_id, items.line_id, items.customer_id, items.currency
),

final as (
    select * from compared
    where mrr_then <> mrr_now
)

select * from final
