-- Days on which a CRM, help desk or billing system can be believed: something new had come from it within the window of seed health_rules.
-- Of what was planned ahead only that it was entered is news: its day comes whether the system lives or not.
with moments as (
    select
        'crm' as domain,
        source_relation,
        case
            when {{ reporting_date('occurred_at') }} <= landed_on then greatest({{ reporting_date('occurred_at') }}, known_from)
            else known_from
        end as seen_on
    from {{ ref('int_crm__activities') }}
    where {{ reporting_date('occurred_at') }} <= landed_on or known_from <= landed_on
    union
    select
        'support' as domain,
        source_relation,
        greatest({{ reporting_date('created_at') }}, known_from) as seen_on
    from {{ ref('int_support__tickets') }}
    union
    select
        'billing' as domain,
        source_relation,
        greatest({{ reporting_date('issued_at') }}, known_from) as seen_on
    from {{ ref('int_billing__invoices') }}
    where issued_at is not null
    union
    select
        'billing' as domain,
        source_relation,
        greatest({{ reporting_date('attempted_at') }}, known_from) as seen_on
    from {{ ref('int_billing__payments') }}
    where attempted_at is not null
),

windows as (
    select
        replace(rule, '_stale_after_days', '') as domain,
        cast(value as int) as stale_after_days
    from {{ ref('health_rules') }}
    where rule in ('crm_stale_after_days', 'support_stale_after_days', 'billing_stale_after_days')
),

-- News that comes while the news before still counts goes on with its stretch.
numbered as (
    select
        moments.domain,
        moments.source_relation,
        moments.seen_on,
        windows.stale_after_days,
        case
            when moments.seen_on <= lag(moments.seen_on) over (
                partition by moments.domain, moments.source_relation order by moments.seen_on
            ) + windows.stale_after_days + 1 then 0
            else 1
        end as begins
    from moments
    inner join windows on moments.domain = windows.domain
    where moments.seen_on <= {{ as_of_date() }}
),

stretches as (
    select
        *,
        sum(begins) over (partition by domain, source_relation order by seen_on) as stretch
    from numbered
),

final as (
    select
        domain,
        source_relation,
        min(seen_on) as valid_from,
        max(seen_on) + stale_after_days + 1 as valid_to
    from stretches
    group by domain, source_relation, stale_after_days, stretch
)

select * from final
