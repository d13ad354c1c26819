-- Whose name is compared with whose: customers of one block. A block is the first four letters; where that would be too many
-- comparisons ("The …", "Acme …"), the first eight, and beside it the first four with the last eight, so that a letter that differs may
-- stand near either end. A block that is still too large is not compared (is_compared), and warn_about_uncompared_names says so.
with customers as (
    select
        customers.customer_id,
        customers.created_at,
        customers.country,
        {{ name_key('customers.customer_name') }} as name_key,
        case when free_mail.domain is null and shared.domain is null then customers.domain end as company_domain,
        customers.has_account
    from {{ ref('int_identities__customers') }} as customers
    left join {{ ref('free_mail_domains') }} as free_mail on customers.domain = free_mail.domain
    left join {{ ref('shared_domains') }} as shared on customers.domain = shared.domain
    where customers.is_named
),

-- open: nothing of its own says who it is, so it may be another
opened as (
    select
        *,
        not has_account or company_domain is null as is_open,
        substr(name_key, 1, 4) as beginning
    from customers
    where name_key is not null
),

beginnings as (
    select beginning, sum(case when is_open then 1 else 0 end) * count(*) as comparisons
    from opened
    group by beginning
),

blocks as (
    select opened.*, opened.beginning as block
    from opened
    inner join beginnings on opened.beginning = beginnings.beginning
    where beginnings.comparisons between 1 and {{ var('name_comparisons') }}

    union all

    select opened.*, {{ dbt.concat(['substr(opened.name_key, 1, 8)', "'…'"]) }}
    from opened
    inner join beginnings on opened.beginning = beginnings.beginning
    where beginnings.comparisons > {{ var('name_comparisons') }}

    union all

    select opened.*, {{ dbt.concat(['opened.beginning', "'…'", 'substr(opened.name_key, length(opened.name_key) - 7)']) }}
    from opened
    inner join beginnings on opened.beginning = beginnings.beginning
    where beginnings.comparisons > {{ var('name_comparisons') }} and length(opened.name_key) >= 12
),

sizes as (
    select block, sum(case when is_open then 1 else 0 end) * count(*) as comparisons
    from blocks
    group by block
),

final as (
    select
        blocks.block,
        blocks.customer_id,
        blocks.created_at,
        blocks.name_key,
        blocks.country,
        blocks.company_domain,
        blocks.is_open,
        sizes.comparisons <= {{ var('name_comparisons') }} as is_compared
    from blocks
    inner join sizes on blocks.block = sizes.block
    where sizes.comparisons > 0
)

-- names of one block side by side: comparing them is three times as fast when they are neighbours in memory
select * from final
order by block
