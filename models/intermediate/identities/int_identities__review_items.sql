-- What a person should decide about identities: one row per pair of customers and record in question, for its strongest reason.
-- A decision in the seed identity_overrides closes the item.
with nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

customers as (
    select * from {{ ref('int_identities__customers') }}
),

conflicts as (
    {%- for model in ['billing', 'support', 'product', 'surveys'] %}
    select domain, source_relation, source_id, conflict, rival_cluster_id, other_rival_cluster_id
    from {{ ref('int_identities__' ~ model) }}
    where conflict is not null
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
),

look_alikes as (
    select cluster_id, look_alike_id from {{ ref('int_identities__accounts') }}
    where is_survivor and cluster_id <> look_alike_id
),

-- accounts of one domain that are not one corporate family: each is held against the oldest
domains as (
    select
        customers.customer_id,
        customers.parent_customer_id,
        first_value(customers.customer_id) over (
            partition by keys.key_value order by customers.created_at nulls last, customers.customer_id
        ) as oldest_id,
        first_value(customers.parent_customer_id) over (
            partition by keys.key_value order by customers.created_at nulls last, customers.customer_id
        ) as oldest_parent_id
    from {{ ref('int_identities__keys') }} as keys
    inner join nodes on keys.domain = nodes.domain and keys.source_relation = nodes.source_relation and keys.source_id = nodes.source_id
    inner join customers on nodes.customer_id = customers.customer_id
    where keys.domain = 'crm' and keys.evidence = 'domain'
),

items as (
    select
        conflicts.conflict || '_record' as reason,
        case conflicts.conflict when 'contradiction' then 1 else 2 end as reason_rank,
        first_customers.customer_id,
        second_customers.customer_id as other_customer_id,
        conflicts.domain,
        conflicts.source_relation,
        conflicts.source_id,
        cast(null as double) as similarity
    from conflicts
    inner join customers as first_customers on conflicts.rival_cluster_id = first_customers.cluster_id
    inner join customers as second_customers on conflicts.other_rival_cluster_id = second_customers.cluster_id

    union all

    select 'duplicate_account', 3, older.customer_id, newer.customer_id, '', '', '', null
    from look_alikes
    inner join customers as older on look_alikes.look_alike_id = older.cluster_id
    inner join customers as newer on look_alikes.cluster_id = newer.cluster_id

    union all

    select 'shared_domain', 4, oldest_id, customer_id, '', '', '', null
    from domains
    where customer_id <> oldest_id
        and parent_customer_id is distinct from oldest_id
        and oldest_parent_id is distinct from customer_id
        and (parent_customer_id is null or parent_customer_id is distinct from oldest_parent_id)

    union all

    select 'similar_name', 5, customer_id, other_customer_id, '', '', '', similarity
    from {{ ref('int_identities__similar_names') }}
),

decided as (
    select
        overrides.domain, overrides.source_relation, overrides.source_id,
        left_nodes.customer_id, right_nodes.customer_id as other_customer_id
    from {{ ref('int_identities__overrides') }} as overrides
    inner join nodes as left_nodes
        on overrides.domain = left_nodes.domain
        and overrides.source_relation = left_nodes.source_relation and overrides.source_id = left_nodes.source_id
    inner join nodes as right_nodes
        on overrides.other_domain = right_nodes.domain
        and overrides.other_source_relation = right_nodes.source_relation and overrides.other_source_id = right_nodes.source_id
    where overrides.decision = 'keep_apart'
),

final as (
    select
        md5(
            items.reason || '|' || items.customer_id || '|' || items.other_customer_id || '|'
            || items.domain || '|' || items.source_relation || '|' || items.source_id
        ) as review_id,
        items.reason,
        items.customer_id,
        items.other_customer_id,
        nullif(items.domain, '') as domain,
        nullif(items.source_relation, '') as source_relation,
        nullif(items.source_id, '') as source_id,
        items.similarity
    from items
    -- That two are not one does not say whose a record is that fits both: that is answered by a decision about the record.
    left join decided
        on (items.domain = '' and items.customer_id = decided.customer_id and items.other_customer_id = decided.other_customer_id)
        or (
            items.domain = decided.domain and items.source_relation = decided.source_relation and items.source_id = decided.source_id
            and decided.other_customer_id in (items.customer_id, items.other_customer_id)
        )
    where decided.customer_id is null
    qualify row_number() over (
        partition by items.customer_id, items.other_customer_id, items.domain, items.source_relation, items.source_id
        order by items.reason_rank, items.similarity desc nulls last
    ) = 1
)

select * from final
