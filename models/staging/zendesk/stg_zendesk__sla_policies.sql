with landed as (
    {{ record_versions('zendesk', 'sla_policies') }}
),

final as (
    select
        landed.policy_id,
        {{ clean_text('landed.title') }} as title,
        landed.position,
        landed.filter as conditions,
        {{ clean_code('landed.priority') }} as priority,
        {{ clean_code('landed.metric') }} as metric,
        landed.target as target_minutes,
        coalesce(landed.business_hours, false) as is_business_hours,
        landed.created_at,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
