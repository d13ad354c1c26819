with landed as (
    {{ record_versions('own', 'invoice_lines') }}
),

-- A file or a table holds what there is when it is read, some of it of the morning after the day that is run. An invoice of then is not known
-- yet; its lines, which have no time of their own, come with it.
to_come as (
    select _source_relation, invoice_id from {{ source('own', 'invoices') }}
    where _load_date <= {{ as_of_date() }}
    group by _source_relation, invoice_id
    having min({{ reporting_date('issued_at') }}) > {{ as_of_date() }}
        and (min({{ reporting_date('updated_at') }}) > {{ as_of_date() }} or count(distinct _row_hash) = 1)
),

final as (
    select
        landed.line_id,
        landed.invoice_id,
        landed.customer_id,
        landed.subscription_id,
        landed.plan_id,
        {{ clean_code('landed.kind') }} as kind,
        cast(landed.quantity as decimal(18,4)) as quantity,
        cast(landed.unit_amount as decimal(18,4)) as unit_amount,
        cast(landed.amount as decimal(18,4)) as amount,
        cast(landed.discount_amount as decimal(18,4)) as discount_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.period_start,
        landed.period_end,
        {{ clean_code('landed.interval') }} as interval,
        landed.interval_count,
        coalesce(landed.is_proration, false) as is_proration,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
    left join to_come on landed.source_relation = to_come._source_relation and landed.invoice_id = to_come.invoice_id
    where to_come.invoice_id is null
)

select * from final
