with items as (
    select * from {{ ref('int_identities__review_items') }}
),

customers as (
    select * from {{ ref('int_identities__customers') }}
),

final as (
    select
        items.review_id,
        items.reason,
        items.customer_id,
        customers.customer_name,
        items.other_customer_id,
        others.customer_name as other_customer_name,
        items.domain,
        items.source_relation,
        case when position('@' in items.source_id) > 0 then {{ keyed_hash('items.source_id') }} else items.source_id end as source_id,
        items.similarity,
        '{{ var("run_id") }}' as run_id
    from items
    inner join customers on items.customer_id = customers.customer_id
    inner join customers as others on items.other_customer_id = others.customer_id
)

select * from final
