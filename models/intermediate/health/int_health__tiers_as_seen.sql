-- Which tier each customer belonged to as it was seen on the day: from the recurring revenue and the head count known then.
with payers as (
    select * from {{ ref('int_health__payers_as_seen') }}
),

customers as (
    select customer_id from {{ ref('int_identities__customers') }}
),

tiers as (
    select * from {{ ref('tiers') }}
),

head_counts as (
    select
        nodes.customer_id,
        greatest(accounts.known_from, cast('1900-01-01' as date)) as valid_from,
        accounts.known_until as valid_to,
        accounts.employees
    from {{ ref('int_crm__accounts') }} as accounts
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and accounts.source_relation = nodes.source_relation and accounts.account_id = nodes.source_id
    where accounts.employees is not null
),

boundaries as (
    select customer_id, cast('1900-01-01' as date) as valid_from from customers
    union
    select customer_id, valid_from from payers
    union
    select customer_id, valid_to from payers where valid_to is not null
    union
    select customer_id, valid_from from head_counts
    union
    select customer_id, valid_to from head_counts where valid_to is not null
),

spans as (
    select
        customer_id,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from boundaries
),

measured as (
    select
        spans.customer_id,
        spans.valid_from,
        spans.valid_to,
        -- to the cent: a year of a price is 12 × a month that was rounded
        round(12 * coalesce(max(payers.mrr_reporting_amount), 0), 2) as arr_amount,
        coalesce(max(head_counts.employees), 0) as employees
    from spans
    left join payers
        on
            spans.customer_id = payers.customer_id
            and spans.valid_from >= payers.valid_from
            and (spans.valid_from < payers.valid_to or payers.valid_to is null)
    left join head_counts
        on
            spans.customer_id = head_counts.customer_id
            and spans.valid_from >= head_counts.valid_from
            and (spans.valid_from < head_counts.valid_to or head_counts.valid_to is null)
    group by spans.customer_id, spans.valid_from, spans.valid_to
),

-- The first tier, in rank order, that the customer reaches.
placed as (
    select
        measured.customer_id,
        measured.valid_from,
        tiers.tier
    from measured
    inner join tiers
        on measured.arr_amount >= tiers.min_arr or measured.employees >= tiers.min_employees
    qualify row_number() over (partition by measured.customer_id, measured.valid_from order by tiers.rank) = 1
),

changed as (
    select
        customer_id,
        valid_from,
        tier,
        lag(tier) over (partition by customer_id order by valid_from) as previous_tier
    from placed
),

final as (
    select
        customer_id,
        tier,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from changed
    where tier is distinct from previous_tier
)

select * from final
