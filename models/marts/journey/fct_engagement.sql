-- How often we are in touch with whoever pays today. Days are counted as the health component engagement counts them.
with days as (
    select
        *,
        as_of_date - cast(tenure_days as int) as first_paid_on
    from {{ ref('int_health__daily') }}
    where as_of_date = {{ as_of_date() }}
),

accounts as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'crm'
),

observed as (
    select
        accounts.customer_id,
        max(case when fresh.valid_to > {{ as_of_date() }} then 1 else 0 end) = 1 as is_fresh
    from accounts
    left join {{ ref('int_health__fresh_sources') }} as fresh
        on fresh.domain = 'crm' and accounts.source_relation = fresh.source_relation and fresh.valid_from <= {{ as_of_date() }}
    group by accounts.customer_id
),

touches as (
    select
        accounts.customer_id,
        activities.kind,
        activities.direction,
        {{ dbt.datediff(reporting_date('activities.occurred_at'), as_of_date(), 'day') }} as days_ago
    from {{ ref('int_crm__activities') }} as activities
    inner join accounts on activities.source_relation = accounts.source_relation and activities.account_id = accounts.source_id
    where activities.is_current
),

counted as (
    select
        customer_id,
        count(case when days_ago < 30 then 1 end) as touches_30d,
        count(*) as touches_90d,
        count(case when kind in ('kickoff', 'training', 'check_in', 'business_review', 'executive_review', 'interview') then 1 end) as meetings_90d,
        count(case when kind in ('business_review', 'executive_review') then 1 end) as reviews_90d,
        count(case when direction = 'inbound' then 1 end) as inbound_90d
    from touches
    where days_ago between 0 and 89
    group by customer_id
),

joined as (
    select
        days.*,
        tiers.touch_model,
        cadences.check_in_days,
        observed.is_fresh,
        counted.touches_30d,
        counted.touches_90d,
        counted.meetings_90d,
        counted.reviews_90d,
        counted.inbound_90d,
        greatest(days.first_paid_on, days.last_touched_on) + cast(cadences.check_in_days as int) as next_due_on
    from days
    inner join {{ ref('cadences') }} as cadences on days.tier = cadences.tier
    inner join (select tier, touch_model from {{ ref('tiers') }}) as tiers on days.tier = tiers.tier
    left join observed on days.customer_id = observed.customer_id
    left join counted on days.customer_id = counted.customer_id
),

final as (
    select
        cast(customer_id as string) as customer_id,
        as_of_date,
        cast(tier as string) as tier,
        cast(touch_model as string) as touch_model,
        {%- for count in ['touches_30d', 'touches_90d', 'meetings_90d', 'reviews_90d', 'inbound_90d'] %}
        case when is_fresh then cast(coalesce({{ count }}, 0) as bigint) end as {{ count }},
        {%- endfor %}
        case when is_fresh then last_touched_on end as last_touched_on,
        case when is_fresh then cast({{ dbt.datediff('last_touched_on', 'as_of_date', 'day') }} as bigint) end as days_since_touch,
        cast(check_in_days as bigint) as check_in_days,
        case when is_fresh then next_due_on end as next_due_on,
        case when is_fresh then next_due_on < as_of_date end as is_overdue,
        case
            when is_fresh and next_due_on < as_of_date then cast({{ dbt.datediff('next_due_on', 'as_of_date', 'day') }} as bigint)
        end as days_overdue,
        sponsor_active = 1 as has_active_sponsor,
        cast(case
            when is_fresh is null then 'not in a CRM'
            when not is_fresh then 'the CRM is silent'
            when check_in_days is null then 'automated: the tier has no cadence'
            when sponsor_active is null then 'no sponsor was ever known'
        end as string) as unmeasured_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from joined
)

select * from final
