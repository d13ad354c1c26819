-- Days on which a CRM or help desk can be believed: something new had come from it within the window of seed health_rules.
with moments as (
    select
        'crm' as domain,
        source_relation,
        greatest({{ reporting_date('occurred_at') }}, known_from) as seen_on
    from {{ ref('int_crm__activities') }}
    union
    select
        'support' as domain,
        source_relation,
        greatest({{ reporting_date('created_at') }}, known_from) as seen_on
    from {{ ref('int_support__tickets') }}
),

windows as (
    select
        case rule when 'crm_stale_after_days' then 'crm' else 'support' end as domain,
        cast(value as int) as stale_after_days
    from {{ ref('health_rules') }}
    where rule in ('crm_stale_after_days', 'support_stale_after_days')
),

final as (
    select
        moments.domain,
        moments.source_relation,
        moments.seen_on as valid_from,
        least(
            moments.seen_on + windows.stale_after_days + 1,
            lead(moments.seen_on) over (partition by moments.domain, moments.source_relation order by moments.seen_on)
        ) as valid_to
    from moments
    inner join windows on moments.domain = windows.domain
    where moments.seen_on <= {{ as_of_date() }}
)

select * from final
