-- The days on which an invoice was due and unpaid, for each stretch of days on which that was known. Drafts and voided invoices
-- were never due; one that was given up as uncollectible stops being due then.
with invoices as (
    select
        *,
        {{ reporting_date('coalesce(due_at, issued_at)') }} as due_on,
        case
            when status = 'paid' then coalesce({{ reporting_date('paid_at') }}, {{ reporting_date('issued_at') }})
            when status in ('uncollectible', 'written_off') then {{ reporting_date('updated_at') }}
            else coalesce({{ reporting_date('paid_at') }}, cast('9999-12-31' as date))
        end as settled_on
    from {{ ref('int_billing__invoices') }}
    where status not in ('draft', 'void', 'voided', 'deleted') and coalesce(total, 1) > 0
),

final as (
    select
        nodes.customer_id,
        invoices.source_relation,
        invoices.invoice_id,
        invoices.due_on,
        invoices.settled_on,
        invoices.known_from,
        coalesce(invoices.known_until, cast('9999-12-31' as date)) as known_until,
        invoices.is_current
    from invoices
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'billing' and invoices.source_relation = nodes.source_relation and invoices.customer_id = nodes.source_id
    where invoices.due_on < invoices.settled_on
)

select * from final
