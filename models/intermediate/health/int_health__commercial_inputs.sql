with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

payers as (
    select * from {{ ref('int_health__payers_as_seen') }}
),

-- Who pays may owe nothing, as far as anybody knows, only while invoices still come. Several billing systems: one that is alive will do.
observed as (
    select
        customer_days.customer_id,
        customer_days.as_of_date
    from customer_days
    inner join (
        select customer_id, source_relation from {{ ref('int_identities__nodes') }}
        where domain = 'billing'
        group by customer_id, source_relation
    ) as sources
        on customer_days.customer_id = sources.customer_id
    inner join {{ ref('int_health__fresh_sources') }} as fresh
        on
            fresh.domain = 'billing'
            and sources.source_relation = fresh.source_relation
            and customer_days.as_of_date >= fresh.valid_from
            and customer_days.as_of_date < fresh.valid_to
    group by customer_days.customer_id, customer_days.as_of_date
),

unpaid as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        max({{ dbt.datediff('invoices.due_on', 'customer_days.as_of_date', 'day') }}) as days_past_due
    from customer_days
    inner join {{ ref('int_health__unpaid_invoices') }} as invoices
        on
            customer_days.customer_id = invoices.customer_id
            and customer_days.as_of_date >= invoices.due_on
            and customer_days.as_of_date < invoices.settled_on
            and customer_days.as_of_date >= invoices.known_from
            and customer_days.as_of_date < invoices.known_until
    group by customer_days.customer_id, customer_days.as_of_date
),

failures as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        count(*) as failed_payments_90d
    from customer_days
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'billing' and customer_days.customer_id = nodes.customer_id
    inner join {{ ref('int_billing__payments') }} as payments
        on
            nodes.source_relation = payments.source_relation
            and nodes.source_id = payments.customer_id
            and payments.status in ('failed', 'declined')
            and customer_days.as_of_date >= greatest({{ reporting_date('payments.attempted_at') }}, payments.known_from)
            and customer_days.as_of_date < least({{ reporting_date('payments.attempted_at') }} + 90, payments.known_until)
    group by customer_days.customer_id, customer_days.as_of_date
),

final as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        coalesce(unpaid.days_past_due, 0) as days_past_due,
        coalesce(failures.failed_payments_90d, 0) as failed_payments_90d,
        {{ to_money('cast(customer_days.mrr_reporting_amount as double) / cast(before.mrr_reporting_amount as double)') }} as growth_180d,
        customer_days.tenure_days
    from customer_days
    inner join observed on customer_days.customer_id = observed.customer_id and customer_days.as_of_date = observed.as_of_date
    left join unpaid on customer_days.customer_id = unpaid.customer_id and customer_days.as_of_date = unpaid.as_of_date
    left join failures on customer_days.customer_id = failures.customer_id and customer_days.as_of_date = failures.as_of_date
    left join payers as before
        on
            customer_days.customer_id = before.customer_id
            and customer_days.as_of_date - 180 >= before.valid_from
            and (customer_days.as_of_date - 180 < before.valid_to or before.valid_to is null)
)

select * from final
