-- Zendesk's tickets in the columns of the contract. Who asked is an id at Zendesk; its address is today's, because that is the one by
-- which the customer is found.
with tickets as (
    select * from {{ ref('stg_zendesk__tickets') }}
),

users as (
    select
        source_relation,
        user_id,
        email
    from {{ ref('stg_zendesk__users') }}
    where is_current and email is not null
),

final as (
    select
        tickets.*,
        users.email as requester_email
    from tickets
    left join users
        on tickets.source_relation = users.source_relation
            and tickets.requester_id = users.user_id
)

select * from final
