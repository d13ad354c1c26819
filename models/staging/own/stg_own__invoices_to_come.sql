-- A file or a table holds what there is when it is read, some of it of the morning after the day that is run. No version of such an invoice is known
-- yet; its lines, which have no time of their own, wait for it (int_billing__invoice_lines).
with landed as (
    select * from {{ source('own', 'invoices') }}
    where _load_date <= {{ as_of_date() }}
),

final as (
    select
        _source_relation as source_relation,
        invoice_id,
        min(issued_at) as issued_at
    from landed
    group by _source_relation, invoice_id
    having
        min({{ reporting_date('issued_at') }}) > {{ as_of_date() }}
        and (min({{ reporting_date('updated_at') }}) > {{ as_of_date() }} or count(distinct _row_hash) = 1)
)

select * from final
