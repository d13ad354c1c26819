-- The days on which each invoice was known to count: open, paid or uncollectible, or a draft in its first days.
-- Versions in which nothing changes but, say, the amount paid are one row.
with invoices as (
    select * from {{ ref('int_billing__invoices') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

dated as (
    select
        source_relation,
        invoice_id,
        {{ reporting_date('issued_at') }} as issued_on,
        case when status in ('open', 'paid', 'uncollectible') then 'counted' else status end as state,
        known_from,
        known_until
    from invoices
),

marked as (
    select
        dated.*,
        case
            when
                lag(state) over (partition by source_relation, invoice_id order by known_from) = state
                and lag(issued_on) over (partition by source_relation, invoice_id order by known_from) = issued_on
                and lag(known_until) over (partition by source_relation, invoice_id order by known_from) = known_from
                then 0
            else 1
        end as is_change
    from dated
),

stretches as (
    select
        marked.*,
        sum(is_change) over (
            partition by source_relation, invoice_id order by known_from rows unbounded preceding
        ) as stretch
    from marked
),

merged as (
    select
        source_relation,
        invoice_id,
        issued_on,
        state,
        min(known_from) as known_from,
        case when count(known_until) = count(*) then max(known_until) end as known_until
    from stretches
    where state in ('counted', 'draft')
    group by source_relation, invoice_id, issued_on, state, stretch
),

final as (
    select
        merged.source_relation,
        merged.invoice_id,
        merged.issued_on,
        greatest(merged.known_from, merged.issued_on) as known_from,
        case
            when merged.state = 'counted' then merged.known_until
            else least(
                merged.known_until,
                cast({{ dbt.dateadd('day', '(rules.draft_grace_days + 1)', 'merged.issued_on') }} as date)
            )
        end as known_until
    from merged
    cross join rules
)

select * from final
where issued_on <= {{ as_of_date() }} and (known_until is null or known_until > known_from)
