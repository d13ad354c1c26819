-- A merged account is usually gone from its source, so this reads every version that ever named a target, deleted or not.
with named as (
    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from {{ ref('stg_own__accounts') }}
    where merged_into_account_id is not null

    union all

    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from {{ ref('stg_hubspot__company_merges') }}
    where merged_into_account_id is not null
),

final as (
    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from named
    where account_id <> merged_into_account_id
    qualify row_number() over (partition by source_relation, account_id order by known_from desc, merged_into_account_id) = 1
)

select * from final
