-- A merged account is usually gone from its source, so this reads every version that says where it went, deleted or not. An account that is
-- there again and names nobody is merged no more.
with named as (
    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from {{ ref('stg_own__accounts') }}
    where merged_into_account_id is not null or not is_deleted

    union all

    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from {{ ref('stg_hubspot__company_merges') }}
    where merged_into_account_id is not null
),

latest as (
    select
        source_relation,
        account_id,
        merged_into_account_id,
        known_from
    from named
    where account_id <> merged_into_account_id or merged_into_account_id is null
    qualify
        row_number() over (partition by source_relation, account_id order by known_from desc, merged_into_account_id nulls last) = 1
),

final as (
    select * from latest where merged_into_account_id is not null
)

select * from final
