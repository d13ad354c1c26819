-- Customers whose names are nearly the same (Jaro-Winkler) where nothing says that they are two: at least one has no account
-- or no company domain, and no two countries. Compared only where the first four letters agree, so the work stays near linear.
with customers as (
    select
        customers.customer_id,
        customers.created_at,
        customers.has_account,
        customers.country,
        {{ name_key('customers.customer_name') }} as name_key,
        case when free_mail.domain is null and shared.domain is null then customers.domain end as company_domain
    from {{ ref('int_identities__customers') }} as customers
    left join {{ ref('free_mail_domains') }} as free_mail on customers.domain = free_mail.domain
    left join {{ ref('shared_domains') }} as shared on customers.domain = shared.domain
),

pairs as (
    select
        open.customer_id as open_id,
        other.customer_id as other_id,
        coalesce(open.created_at, cast('9999-12-31' as timestamp)) as open_created_at,
        coalesce(other.created_at, cast('9999-12-31' as timestamp)) as other_created_at,
        {{ name_similarity('open.name_key', 'other.name_key') }} as similarity
    from customers as open
    inner join customers as other
        on substr(open.name_key, 1, 4) = substr(other.name_key, 1, 4)
        and open.customer_id <> other.customer_id
    where (not open.has_account or open.company_domain is null)
        and (open.country is null or other.country is null or open.country = other.country)
        and (open.company_domain is null or other.company_domain is null or open.company_domain = other.company_domain)
),

final as (
    select
        case
            when open_created_at < other_created_at or (open_created_at = other_created_at and open_id < other_id) then open_id else other_id
        end as customer_id,
        case
            when open_created_at < other_created_at or (open_created_at = other_created_at and open_id < other_id) then other_id else open_id
        end as other_customer_id,
        max(similarity) as similarity
    from pairs
    where similarity >= 0.95
    group by 1, 2
)

select * from final
