-- Money received twice: what each invoice says was paid, and the payments that succeeded for it. Only where the two differ, and payments that
-- belong to no invoice. A source that takes refunds off the amount paid, and one that does not, are both in order.
with invoices as (
    select * from {{ ref('int_billing__invoices') }}
    where is_current and amount_paid is not null
),

payments as (
    select * from {{ ref('int_billing__payments') }}
    where is_current and status = 'succeeded'
),

returned as (
    select
        source_relation,
        invoice_id,
        sum(case when kind in ('refund', 'dispute') then abs(amount) else 0 end) as returned,
        sum(case when kind = 'credit_note' then abs(amount) else 0 end) as credited
    from {{ ref('int_revenue__credits_on_invoices') }}
    group by source_relation, invoice_id
),

received as (
    select
        source_relation,
        invoice_id,
        sum(amount) as amount
    from payments
    where invoice_id is not null
    group by source_relation, invoice_id
),

compared as (
    select
        invoices.source_relation,
        invoices.invoice_id,
        invoices.status,
        invoices.currency,
        invoices.amount_paid,
        coalesce(received.amount, 0) as received,
        received.invoice_id is not null as has_payment,
        coalesce(returned.returned, 0) as returned,
        coalesce(returned.credited, 0) as credited
    from invoices
    left join received
        on invoices.source_relation = received.source_relation and invoices.invoice_id = received.invoice_id
    left join returned
        on invoices.source_relation = returned.source_relation and invoices.invoice_id = returned.invoice_id
),

final as (
    select
        source_relation,
        'invoice' as record_kind,
        invoice_id as record_id,
        currency,
        cast(amount_paid as decimal(18,4)) as stated_amount,
        cast(received as decimal(18,4)) as received_amount,
        case
            when not has_payment then 'paid_elsewhere'
            when returned > 0 and amount_paid = received - returned then 'refund_taken_off'
            when credited > 0 and amount_paid between received and received + credited then 'credit_used'
            when status in ('void', 'voided', 'deleted') then 'voided_after_payment'
            else 'unexplained'
        end as cause
    from compared
    where amount_paid <> received
    union all
    select
        payments.source_relation,
        'payment' as record_kind,
        payments.payment_id as record_id,
        payments.currency,
        cast(0 as decimal(18,4)) as stated_amount,
        cast(payments.amount as decimal(18,4)) as received_amount,
        case when payments.invoice_id is null then 'no_invoice' else 'unknown_invoice' end as cause
    from payments
    left join {{ ref('int_billing__invoices') }} as known
        on payments.source_relation = known.source_relation
            and payments.invoice_id = known.invoice_id
            and known.is_current
    where known.invoice_id is null
)

select * from final
