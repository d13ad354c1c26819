with landed as (
    {{ record_versions('stripe', 'credit_note_lines') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.credit_note_id,
        landed.id as credit_note_line_id,
        landed.customer_id,
        landed.invoice_id,
        landed.invoice_line_id,
        case
            when landed.invoice_line_id like 'il_%' then landed.invoice_line_id
            else landed.invoice_id || '-' || landed.invoice_line_id
        end as line_id,
        {{ clean_code('landed.type') }} as line_type,
        cast(landed.quantity as decimal(18,4)) as quantity,
        {{ from_minor_units('landed.amount') }} as amount,
        {{ from_minor_units('coalesce(landed.discount_amount, 0)') }} as discount_amount,
        {{ from_minor_units('coalesce(landed.inclusive_tax_amount, 0)') }} as inclusive_tax_amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
