{{ config(materialized='view') }}
-- What persons think of customers' health (seed health_overrides), by the customer's id of today. Where two customers became one, both ids
-- go on meaning it; a newer opinion then ends the older one, and of two that begin together the one said of today's id holds.
with named as (
    select
        overrides.*,
        nodes.customer_id as current_customer_id
    from {{ ref('health_overrides') }} as overrides
    inner join {{ ref('int_identities__nodes') }} as nodes on overrides.customer_id = nodes.own_customer_id
),

followed as (
    select
        *,
        lead(set_on) over (
            partition by current_customer_id
            order by set_on, case when customer_id = current_customer_id then 1 else 0 end, customer_id
        ) as next_set_on
    from named
),

final as (
    select
        current_customer_id as customer_id,
        set_on,
        least(expires_on, coalesce(next_set_on, expires_on)) as expires_on,
        band,
        outlook,
        author,
        reason
    from followed
    where next_set_on is null or next_set_on > set_on
)

select * from final
