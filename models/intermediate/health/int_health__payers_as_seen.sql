with nodes as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'billing'
),

held as (
    select
        nodes.customer_id,
        mrr_as_seen.seen_from as valid_from,
        mrr_as_seen.seen_until as valid_to,
        mrr_as_seen.mrr_reporting_amount as mrr,
        mrr_as_seen.carried_reporting_amount as carried
    from {{ ref('int_revenue__mrr_as_seen') }} as mrr_as_seen
    inner join nodes
        on
            mrr_as_seen.source_relation = nodes.source_relation
            and mrr_as_seen.source_customer_id = nodes.source_id
),

summed as (
    {{ sum_intervals('held', ['customer_id'], ['mrr', 'carried']) }}
),

payers as (
    select
        customer_id,
        valid_from,
        valid_to,
        mrr,
        -- up to which it had been billed: what was carried on since waits for a bill
        max(case when mrr - carried >= 0.005 then valid_to end) over (
            partition by customer_id order by valid_from rows between unbounded preceding and 1 preceding
        ) as previous_valid_to
    from summed
    where mrr >= 0.005
),

-- A bill that came late shows on the day it came that the days before were paid, too.
late as (
    select
        nodes.customer_id,
        lines.known_from,
        min(lines.active_from) as active_from
    from {{ ref('int_revenue__ruled_lines') }} as lines
    inner join nodes on lines.source_relation = nodes.source_relation and lines.source_customer_id = nodes.source_id
    where
        lines.rule_set = 0
        and lines.monthly_rate_reporting > 0
        and lines.active_from < lines.known_from
        and (lines.active_until > lines.known_from or lines.active_until is null)
    group by nodes.customer_id, lines.known_from
),

-- A gap within the grace days is none. Which stretch of paying a day is part of depends on nothing that is known later.
marked as (
    select
        payers.*,
        case
            when least(payers.valid_from, late.active_from) <= payers.previous_valid_to + rules.grace_days then null
            else payers.valid_from
        end as begins_on
    from payers
    cross join {{ ref('int_revenue__rules') }} as rules
    left join late on payers.customer_id = late.customer_id and payers.valid_from = late.known_from
),

final as (
    select
        customer_id,
        valid_from,
        valid_to,
        cast(mrr as decimal(18,4)) as mrr_reporting_amount,
        min(valid_from) over (partition by customer_id) as first_paid_on,
        max(begins_on) over (partition by customer_id order by valid_from) as paying_since
    from marked
)

select * from final
