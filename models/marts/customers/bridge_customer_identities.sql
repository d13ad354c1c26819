with nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

final as (
    select
        customer_id,
        domain,
        source_relation,
        -- a respondent without an account is known by the e-mail only
        case when position('@' in source_id) > 0 then {{ keyed_hash('source_id') }} else source_id end as source_id,
        evidence,
        confidence,
        own_customer_id,
        '{{ var("run_id") }}' as run_id
    from nodes
)

select * from final
