-- Opening hours with the days on which they held. Zendesk keeps only today's; what was set before is known from our own versions,
-- so each version is a row of its own that stays true: hours that were changed or removed end on the day of the change, and those that
-- take their place begin on it.
with schedules as (
    select * from {{ ref('stg_zendesk__schedules') }}
),

final as (
    select
        schedule_id,
        time_zone,
        weekday,
        opens_at,
        closes_at,
        -- What we found in place at the first load had always been so, for all we know. A later one begins on the day we found it, not
        -- within the days before it that other records may still restate: until then the help desk kept the old hours.
        case
            when known_from = cast('1900-01-01' as date) then known_from
            else greatest(known_from, first_landed_on)
        end as valid_from,
        known_until as valid_to,
        source_relation,
        known_from,
        cast(null as date) as known_until,
        true as is_current,
        -- of hours in a zone that we do not know (the load warns of it) nobody can say when they are
        is_deleted or time_zone is null as is_deleted
    from schedules
)

select * from final
