-- Customers whose names are nearly the same (Jaro-Winkler) where nothing says that they are two: at least one has no account
-- or no company domain, and no two countries. Two names that are both like many others follow a pattern ("Store 17"), which is no likeness.
with customers as (
    select *, {{ age_key('created_at', ['customer_id']) }} as age
    from {{ ref('int_identities__name_blocks') }}
    where is_compared
),

pairs as (
    select
        case when open.age < other.age then open.customer_id else other.customer_id end as customer_id,
        case when open.age < other.age then other.customer_id else open.customer_id end as other_customer_id,
        max({{ name_similarity('open.name_key', 'other.name_key') }}) as similarity
    from customers as open
    inner join customers as other
        on open.block = other.block
        and open.customer_id <> other.customer_id
    where open.is_open
        and (not other.is_open or open.customer_id < other.customer_id)
        and (open.country is null or other.country is null or open.country = other.country)
        and (open.company_domain is null or other.company_domain is null or open.company_domain = other.company_domain)
        -- cheap, and true of all names that are similar enough: four common letters at the start count 0.4 at most, so 0.75 must match
        and 4 * length(open.name_key) >= 3 * length(other.name_key)
        and 4 * length(other.name_key) >= 3 * length(open.name_key)
        and {{ name_similarity('open.name_key', 'other.name_key') }} >= 0.95
    group by 1, 2
),

likenesses as (
    select customer_id, count(*) as names
    from (
        select customer_id from pairs
        union all
        select other_customer_id from pairs
    ) as sides
    group by 1
),

final as (
    select
        pairs.customer_id,
        pairs.other_customer_id,
        pairs.similarity
    from pairs
    inner join likenesses as older on pairs.customer_id = older.customer_id
    inner join likenesses as younger on pairs.other_customer_id = younger.customer_id
    cross join (select max_records from {{ ref('identity_evidence') }} where evidence = 'name_country') as limits
    where older.names <= limits.max_records or younger.names <= limits.max_records
)

select * from final
