-- What customers complain of or ask for, one row per mention: as they state it (surveys, interviews) and, apart from that, the cause that an
-- interviewer found behind it.
with answers as (
    select * from {{ ref('int_voice__answers') }} where theme is not null
),

interviews as (
    select
        activities.source_relation,
        activities.activity_id,
        nodes.customer_id,
        {{ reporting_date('activities.occurred_at') }} as mentioned_on,
        {{ churn_reason('activities.stated_reason') }} as stated_reason,
        {{ churn_reason('activities.root_cause') }} as root_cause
    from {{ ref('int_crm__activities') }} as activities
    left join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and activities.source_relation = nodes.source_relation and activities.account_id = nodes.source_id
    where
        activities.is_current
        and activities.kind in ('interview', 'exit_interview')
        and {{ happened('activities.occurred_at') }} is not null
),

themes as (
    select reason, theme from {{ ref('churn_themes') }}
    union all
    select tag, theme from {{ ref('feedback_themes') }}
),

said as (
    select source_relation, activity_id, customer_id, mentioned_on, 'stated' as reason_kind, stated_reason as reason
    from interviews where stated_reason is not null
    union all
    select source_relation, activity_id, customer_id, mentioned_on, 'root_cause', root_cause
    from interviews where root_cause is not null
),

final as (
    select
        source_relation,
        'survey' as origin,
        response_id as record_id,
        'stated' as reason_kind,
        customer_id,
        responded_on as mentioned_on,
        theme
    from answers
    union all
    select
        said.source_relation,
        'interview',
        said.activity_id,
        said.reason_kind,
        said.customer_id,
        said.mentioned_on,
        coalesce(themes.theme, 'other')
    from said
    left join themes on said.reason = themes.reason
)

select * from final
