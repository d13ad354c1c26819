-- Recurring revenue of each subscription under each set of rules, as known at as_of_date, by interval. Nothing later than as_of_date: what
-- starts later has not happened, what ends later is open. A gap up to grace_days before the next period is bridged (a source that ends
-- a period on the 31st and starts the next on the 1st, an invoice a day late), and so is one still open while the subscription runs.
{% set keys = ['rule_set', 'source_relation', 'customer_id', 'subscription_key', 'currency'] %}
{% set is_known = "known_from <= " ~ as_of_date() ~ " and (known_until is null or known_until > " ~ as_of_date() ~ ")" %}
with rules as (
    select * from {{ ref('int_revenue__rules') }}
),

lines as (
    select ruled_lines.*, coalesce(subscription_id, 'none') as subscription_key
    from {{ ref('int_revenue__ruled_lines') }} as ruled_lines
    where {{ is_known }} and active_from <= {{ as_of_date() }}
),

ended as (
    select
        rule_sets.rule_set,
        ends.source_relation,
        ends.subscription_id as subscription_key,
        case when rule_sets.churn_timing = 'request' then least(ends.ended_on, ends.requested_on) else ends.ended_on end as ends_on
    from {{ ref('int_revenue__subscription_ends') }} as ends
    cross join {{ ref('int_revenue__rule_sets') }} as rule_sets
    where ends.known_until is null
),

suspensions as (
    select * from {{ ref('int_revenue__suspensions') }}
    where {{ is_known }} and suspended_from <= {{ as_of_date() }}
),

agreements as (
    select {{ keys | join(', ') }}, min(active_from) as starts_on
    from lines
    group by {{ keys | join(', ') }}
),

changes as (
    select
        {{ keys | join(', ') }},
        active_from as valid_from,
        case when active_until <= {{ as_of_date() }} then active_until end as valid_to,
        monthly_rate, monthly_rate_reporting, 0 as suspensions
    from lines
    union all
    select
        {% for key in keys -%} agreements.{{ key }}, {% endfor %}
        greatest(suspensions.suspended_from, agreements.starts_on) as valid_from,
        case when suspensions.suspended_until <= {{ as_of_date() }} then suspensions.suspended_until end as valid_to,
        0 as monthly_rate, 0 as monthly_rate_reporting, 1 as suspensions
    from agreements
    inner join suspensions
        on {% for key in keys if key != 'currency' -%}
            agreements.{{ key }} = suspensions.{{ key }} and {% endfor -%}
        (suspensions.suspended_until is null or suspensions.suspended_until > agreements.starts_on)
),

summed as (
    {{ sum_intervals('changes', keys, ['monthly_rate', 'monthly_rate_reporting', 'suspensions']) }}
),

-- A run of stretches without revenue (a free period in a gap, a pause that ends in one) is one gap.
marked as (
    select
        summed.*,
        suspensions > 0 or abs(monthly_rate) < 0.005 as is_zero,
        coalesce(lag(suspensions > 0 or abs(monthly_rate) < 0.005) over by_day, false) as was_zero
    from summed
    window by_day as (partition by {{ keys | join(', ') }} order by valid_from)
),

neighboured as (
    select
        {{ keys | join(', ') }},
        valid_from,
        lead(valid_from) over by_day as valid_to,
        monthly_rate, monthly_rate_reporting, is_zero,
        suspensions > 0 as is_suspended,
        lag(monthly_rate) over by_day as previous_rate,
        lag(monthly_rate_reporting) over by_day as previous_rate_reporting
    from marked
    where not (is_zero and was_zero)
    window by_day as (partition by {{ keys | join(', ') }} order by valid_from)
),

bridged as (
    select
        neighboured.*,
        neighboured.is_zero
        and {{ dbt.datediff('neighboured.valid_from', 'coalesce(neighboured.valid_to, ' ~ as_of_date() ~ ')', 'day') }}
        + case when neighboured.valid_to is null then 1 else 0 end <= rules.grace_days
        and (
            neighboured.valid_to is not null
            or not (neighboured.is_suspended or coalesce(ended.ends_on <= {{ as_of_date() }}, false))
        ) as is_bridged
    from neighboured
    cross join rules
    left join ended
        on neighboured.rule_set = ended.rule_set
            and neighboured.source_relation = ended.source_relation
            and neighboured.subscription_key = ended.subscription_key
),

final as (
    select
        {{ keys | join(', ') }},
        valid_from,
        valid_to,
        {% for rate in ['rate', 'rate_reporting'] -%}
        case when is_bridged then coalesce(previous_{{ rate }}, 0) when is_zero then 0 else monthly_{{ rate }} end as monthly_{{ rate }},
        {% endfor -%}
        is_bridged
    from bridged
)

select * from final
where monthly_rate <> 0
