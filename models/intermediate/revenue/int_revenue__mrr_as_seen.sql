-- MRR as it was seen on the day: each line counts on the days on which it was active AND known, whatever was learned since. For
-- as-of tables (health, tiers). Only the days from the first load on can differ from the ledger; gaps are not bridged here.
with lines as (
    select
        source_relation, source_customer_id, monthly_rate_reporting, active_from, active_until, known_from, known_until
    from {{ ref('int_revenue__active_lines') }}
    union all
    select
        source_relation, source_customer_id, monthly_rate_reporting, active_from, active_until, known_from, known_until
    from {{ ref('int_revenue__credit_effects') }}
),

seen as (
    select
        source_relation,
        source_customer_id,
        greatest(active_from, known_from) as valid_from,
        least(active_until, known_until) as valid_to,
        monthly_rate_reporting as mrr
    from lines
),

held as (
    select
        source_relation,
        source_customer_id,
        valid_from,
        case when valid_to <= {{ as_of_date() }} then valid_to end as valid_to,
        mrr
    from seen
    where valid_from < valid_to and valid_from <= {{ as_of_date() }}
),

summed as (
    {{ sum_intervals('held', ['source_relation', 'source_customer_id'], ['mrr']) }}
),

final as (
    select
        source_relation,
        source_customer_id,
        valid_from as seen_from,
        valid_to as seen_until,
        cast(mrr as decimal(18,4)) as mrr_reporting_amount
    from summed
)

select * from final
where mrr_reporting_amount >= 0.005
