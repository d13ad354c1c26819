-- Opening hours with the days on which they held. Zendesk keeps only today's; what was set before is known from our own versions,
-- so each version is a row of its own that stays true: hours that were changed or removed end on the day of the change.
with schedules as (
    select
        *,
        row_number() over (partition by source_relation, schedule_id, weekday, opens_at order by known_from) as version_number
    from {{ ref('stg_zendesk__schedules') }}
),

final as (
    select
        schedule_id,
        time_zone,
        weekday,
        opens_at,
        closes_at,
        -- What we found in place at the first load had always been so, for all we know.
        case
            when version_number = 1 and known_from <= coalesce({{ reporting_date('created_at') }}, cast('1900-01-01' as date))
                then cast('1900-01-01' as date)
            else known_from
        end as valid_from,
        known_until as valid_to,
        source_relation,
        known_from,
        cast(null as date) as known_until,
        true as is_current,
        is_deleted
    from schedules
)

select * from final
