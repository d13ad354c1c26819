with held as (
    select
        nodes.customer_id,
        mrr_as_seen.seen_from as valid_from,
        mrr_as_seen.seen_until as valid_to,
        mrr_as_seen.mrr_reporting_amount as mrr
    from {{ ref('int_revenue__mrr_as_seen') }} as mrr_as_seen
    inner join {{ ref('int_identities__nodes') }} as nodes
        on
            nodes.domain = 'billing'
            and mrr_as_seen.source_relation = nodes.source_relation
            and mrr_as_seen.source_customer_id = nodes.source_id
),

summed as (
    {{ sum_intervals('held', ['customer_id'], ['mrr']) }}
),

final as (
    select
        customer_id,
        valid_from,
        valid_to,
        cast(mrr as decimal(18,4)) as mrr_reporting_amount,
        min(valid_from) over (partition by customer_id) as first_paid_on
    from summed
    where mrr >= 0.005
)

select * from final
