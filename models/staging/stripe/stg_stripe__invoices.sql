with landed as (
    {{ record_versions('stripe', 'invoices') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as invoice_id,
        landed.customer_id,
        landed.subscription_id,
        {{ clean_text('landed.number') }} as invoice_number,
        {{ clean_code('landed.status') }} as status,
        {{ clean_code('landed.billing_reason') }} as billing_reason,
        {{ clean_code('landed.collection_method') }} as collection_method,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ from_minor_units('landed.subtotal') }} as subtotal,
        {{ from_minor_units('landed.tax') }} as tax,
        {{ from_minor_units('landed.total') }} as total,
        {{ from_minor_units('landed.total_discount_amount') }} as discount_amount,
        {{ from_minor_units('landed.amount_due') }} as amount_due,
        {{ from_minor_units('landed.amount_paid') }} as amount_paid,
        {{ from_minor_units('landed.amount_remaining') }} as amount_remaining,
        landed.attempt_count,
        landed.next_payment_attempt as next_attempt_at,
        coalesce(landed.finalized_at, landed.created) as issued_at,
        coalesce(
            landed.due_date,
            case when landed.collection_method = 'charge_automatically' then coalesce(landed.finalized_at, landed.created) end
        ) as due_at,
        landed.paid_at,
        landed.voided_at,
        landed.marked_uncollectible_at,
        landed.created as created_at,
        -- A listing only knows when it was made; that an invoice was given up has a time of its own, which arrears end with.
        case
            when landed.status = 'uncollectible' then coalesce(landed.marked_uncollectible_at, landed.updated)
            else landed.updated
        end as updated_at,
        landed.source_relation,
        landed.first_landed_on,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
