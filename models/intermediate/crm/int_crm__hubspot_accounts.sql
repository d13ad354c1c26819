-- HubSpot's companies in the columns of the contract. A company that was merged away leaves HubSpot's lists, but other systems go
-- on naming it: from the merge on it stays here as last seen, pointing to the company that stayed. One that was merged before our
-- first load has only that pointer and the name of the other.
with companies as (
    select * from {{ ref('stg_hubspot__companies') }}
),

merged as (
    select
        source_relation,
        account_id,
        min(first_landed_on) as first_landed_on,
        min(known_from) as merged_from,
        min(updated_at) as merged_at,
        max(case when is_current then merged_into_account_id end) as merged_into_account_id
    from {{ ref('stg_hubspot__company_merges') }}
    where not is_deleted
    group by source_relation, account_id
),

-- Whose name stands behind an owner id does not change with the record, so the newest is right for all of its past.
owners as (
    select
        source_relation,
        owner_id,
        owner_email
    from {{ ref('stg_hubspot__owners') }}
    where is_current and owner_email is not null
),

last_seen as (
    select
        companies.*,
        row_number() over (
            partition by companies.source_relation, companies.account_id order by companies.known_from desc nulls last
        ) as recency
    from companies
    inner join merged
        on companies.source_relation = merged.source_relation
            and companies.account_id = merged.account_id
            and companies.known_from <= merged.merged_from
    where not companies.is_deleted
),

before_merges as (
    select
        companies.account_id,
        companies.name,
        companies.domain,
        companies.parent_account_id,
        companies.industry,
        companies.country,
        companies.employees,
        companies.owner_id,
        companies.acquisition_cost,
        companies.currency,
        cast(null as string) as merged_into_account_id,
        companies.created_at,
        companies.updated_at,
        companies.source_relation,
        companies.first_landed_on,
        companies.known_from,
        least(companies.known_until, merged.merged_from) as known_until,
        companies.is_deleted
    from companies
    left join merged
        on companies.source_relation = merged.source_relation
            and companies.account_id = merged.account_id
    where merged.merged_from is null or companies.known_from < merged.merged_from
),

since_merges as (
    select
        merged.account_id,
        coalesce(last_seen.name, stayed.name) as name,
        last_seen.domain,
        last_seen.parent_account_id,
        last_seen.industry,
        last_seen.country,
        last_seen.employees,
        last_seen.owner_id,
        last_seen.acquisition_cost,
        last_seen.currency,
        merged.merged_into_account_id,
        coalesce(last_seen.created_at, merged.merged_at) as created_at,
        merged.merged_at as updated_at,
        merged.source_relation,
        coalesce(last_seen.first_landed_on, merged.first_landed_on) as first_landed_on,
        merged.merged_from as known_from,
        cast(null as date) as known_until,
        false as is_deleted
    from merged
    left join last_seen
        on merged.source_relation = last_seen.source_relation
            and merged.account_id = last_seen.account_id
            and last_seen.recency = 1
    left join companies as stayed
        on merged.source_relation = stayed.source_relation
            and merged.merged_into_account_id = stayed.account_id
            and stayed.is_current
),

spans as (
    select * from before_merges
    union all
    select * from since_merges
),

final as (
    select
        spans.*,
        owners.owner_email,
        spans.known_until is null as is_current
    from spans
    left join owners
        on spans.source_relation = owners.source_relation
            and spans.owner_id = owners.owner_id
)

select * from final
