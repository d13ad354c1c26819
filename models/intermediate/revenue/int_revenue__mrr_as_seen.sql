-- MRR as it was seen on the day under the rules in force. For as-of tables (health, tiers). Only the days from the first load on can differ
-- from the ledger. As there, a subscription whose period is over and that is not known to have ended or to be suspended carries its last
-- value on for up to grace_days: its next bill may be written after its period began.
{% set keys = ['source_relation', 'source_customer_id', 'subscription_key'] %}
with rules as (
    select * from {{ ref('int_revenue__rules') }}
),

followed as (
    select
        subscriptions.*,
        lead(valid_from) over (partition by {{ keys | join(', ') }} order by valid_from) as next_from
    from {{ ref('int_revenue__subscriptions_as_seen') }} as subscriptions
    where mrr <> 0 or suspensions > 0
),

gaps as (
    select
        {% for key in keys -%} followed.{{ key }}, {% endfor %}
        followed.mrr,
        followed.valid_to as gap_from,
        least(followed.next_from, followed.valid_to + rules.grace_days) as gap_until
    from followed
    cross join rules
    where followed.suspensions = 0 and followed.mrr >= 0.005
        and followed.valid_to is not null and (followed.next_from is null or followed.next_from > followed.valid_to)
),

-- what stopped for another reason than that its period was over: voided, credited, moved
withdrawn as (
    select source_relation, source_customer_id, coalesce(subscription_id, 'none') as subscription_key, known_until as gap_from
    from {{ ref('int_revenue__ruled_lines') }}
    where rule_set = 0 and known_until < active_until
    group by source_relation, source_customer_id, coalesce(subscription_id, 'none'), known_until
),

stops as (
    select
        {% for key in keys -%} gaps.{{ key }}, {% endfor %}
        gaps.gap_from,
        min(greatest(ends.known_from, ends.ends_on)) as stops_on
    from gaps
    inner join {{ ref('int_revenue__subscription_ends') }} as ends
        on gaps.source_relation = ends.source_relation
            and gaps.subscription_key = ends.subscription_id
            and ends.ends_on < gaps.gap_until
            and ends.known_from < gaps.gap_until
            and (ends.known_until is null or ends.known_until > gaps.gap_from)
    group by {% for key in keys -%} gaps.{{ key }}, {% endfor %} gaps.gap_from
),

carried as (
    select
        gaps.*,
        least(gaps.gap_until, stops.stops_on) as carried_until
    from gaps
    left join withdrawn on {% for key in keys -%} gaps.{{ key }} = withdrawn.{{ key }} and {% endfor %} gaps.gap_from = withdrawn.gap_from
    left join stops on {% for key in keys -%} gaps.{{ key }} = stops.{{ key }} and {% endfor %} gaps.gap_from = stops.gap_from
    where withdrawn.gap_from is null and (stops.stops_on is null or stops.stops_on > gaps.gap_from)
),

counted as (
    select source_relation, source_customer_id, valid_from, valid_to, mrr, mrr - mrr as carried
    from followed
    where suspensions = 0
    union all
    select
        source_relation, source_customer_id, gap_from as valid_from,
        case when carried_until <= {{ as_of_date() }} then carried_until end as valid_to, mrr, mrr as carried
    from carried
),

summed as (
    {{ sum_intervals('counted', ['source_relation', 'source_customer_id'], ['mrr', 'carried']) }}
),

final as (
    select
        source_relation,
        source_customer_id,
        valid_from as seen_from,
        valid_to as seen_until,
        cast(mrr as decimal(18,4)) as mrr_reporting_amount,
        cast(carried as decimal(18,4)) as carried_reporting_amount
    from summed
)

select * from final
where mrr_reporting_amount >= 0.005
