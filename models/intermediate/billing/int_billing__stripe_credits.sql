-- What Stripe gave back, in the columns of the contract: lines of credit notes (after discounts, without tax, also where the price
-- includes it), refunds and chargebacks.
-- Refunds that a credit note brought about are not counted beside it. Voided notes, failed refunds and disputes that were won
-- or only inquired are none.
with notes as (
    select * from {{ ref('stg_stripe__credit_notes') }}
),

note_lines as (
    select * from {{ ref('stg_stripe__credit_note_lines') }}
),

-- Customer and invoice of a payment never change: today's version is right for whenever it is paid back.
payments as (
    select * from {{ ref('stg_stripe__charges') }}
    where is_current
),

noted as (
    select
        notes.credit_note_id || coalesce('-' || note_lines.credit_note_line_id, '') as credit_id,
        'credit_note' as kind,
        notes.customer_id,
        notes.invoice_id,
        note_lines.line_id,
        coalesce(
            cast(note_lines.amount - note_lines.discount_amount - note_lines.inclusive_tax_amount as decimal(18,4)), notes.subtotal
        ) as amount,
        notes.currency,
        notes.issued_at,
        notes.source_relation,
        greatest(notes.known_from, note_lines.known_from) as known_from,
        least(notes.known_until, note_lines.known_until) as known_until,
        notes.is_deleted or coalesce(note_lines.is_deleted, false) or notes.status = 'void' as is_deleted
    from notes
    left join note_lines
        on notes.source_relation = note_lines.source_relation
            and notes.credit_note_id = note_lines.credit_note_id
            and (notes.known_until is null or note_lines.known_from < notes.known_until)
            and (note_lines.known_until is null or notes.known_from < note_lines.known_until)
),

paying_out as (
    select
        source_relation,
        refund_ids
    from notes
    where is_current and status <> 'void' and refund_ids is not null
),

refunded as (
    select
        refunds.refund_id as credit_id,
        'refund' as kind,
        payments.customer_id,
        payments.invoice_id,
        cast(null as string) as line_id,
        refunds.amount,
        refunds.currency,
        refunds.created_at as issued_at,
        refunds.source_relation,
        refunds.known_from,
        refunds.known_until,
        refunds.is_deleted or coalesce(refunds.status, '') <> 'succeeded' as is_deleted
    from {{ ref('stg_stripe__refunds') }} as refunds
    left join payments
        on refunds.source_relation = payments.source_relation
            and refunds.payment_id = payments.payment_id
    where not exists (
        select 1 from paying_out
        where paying_out.source_relation = refunds.source_relation and paying_out.refund_ids = refunds.refund_id
    )
    -- The few notes with more than one refund stand apart: only these are searched by text.
    and not exists (
        select 1 from paying_out
        where paying_out.source_relation = refunds.source_relation and position(',' in paying_out.refund_ids) > 0
            and position(concat(',', refunds.refund_id, ',') in concat(',', paying_out.refund_ids, ',')) > 0
    )
),

disputed as (
    select
        disputes.dispute_id as credit_id,
        'dispute' as kind,
        payments.customer_id,
        payments.invoice_id,
        cast(null as string) as line_id,
        disputes.amount,
        disputes.currency,
        disputes.created_at as issued_at,
        disputes.source_relation,
        disputes.known_from,
        disputes.known_until,
        disputes.is_deleted or coalesce(disputes.status, '') not in ('needs_response', 'under_review', 'lost') as is_deleted
    from {{ ref('stg_stripe__disputes') }} as disputes
    left join payments
        on disputes.source_relation = payments.source_relation
            and disputes.payment_id = payments.payment_id
),

credits as (
    select * from noted
    union all
    select * from refunded
    union all
    select * from disputed
),

final as (
    select
        credits.*,
        known_until is null as is_current
    from credits
)

select * from final
