-- MRR of each subscription as it was seen on the day under the rules in force: each line counts on the days on which it was active AND
-- known, whatever was learned since. Suspended days, and days with nothing, are rows too.
{% set keys = ['source_relation', 'source_customer_id', 'subscription_key'] %}
with lines as (
    select
        source_relation,
        source_customer_id,
        customer_id,
        coalesce(subscription_id, 'none') as subscription_key,
        monthly_rate_reporting,
        greatest(active_from, known_from) as valid_from,
        least(active_until, known_until) as valid_to
    from {{ ref('int_revenue__ruled_lines') }}
    where rule_set = 0
),

agreements as (
    select {{ keys | join(', ') }}, customer_id, min(valid_from) as starts_on
    from lines
    group by {{ keys | join(', ') }}, customer_id
),

suspensions as (
    select
        agreements.source_relation,
        agreements.source_customer_id,
        agreements.subscription_key,
        greatest(suspensions.suspended_from, suspensions.known_from, agreements.starts_on) as valid_from,
        least(suspensions.suspended_until, suspensions.known_until) as valid_to
    from {{ ref('int_revenue__suspensions') }} as suspensions
    inner join agreements
        on suspensions.source_relation = agreements.source_relation
            and suspensions.customer_id = agreements.customer_id
            and suspensions.subscription_key = agreements.subscription_key
    where suspensions.rule_set = 0
),

changes as (
    select {{ keys | join(', ') }}, valid_from, valid_to, monthly_rate_reporting as mrr, 0 as suspensions from lines
    union all
    select {{ keys | join(', ') }}, valid_from, valid_to, 0 as mrr, 1 as suspensions from suspensions
),

held as (
    select
        {{ keys | join(', ') }},
        valid_from,
        case when valid_to <= {{ as_of_date() }} then valid_to end as valid_to,
        mrr,
        suspensions
    from changes
    where (valid_to is null or valid_from < valid_to) and valid_from <= {{ as_of_date() }}
),

final as (
    {{ sum_intervals('held', keys, ['mrr', 'suspensions']) }}
)

select * from final
