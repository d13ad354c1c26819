-- The product that a customer lacks and most of its peers own: those of its tier and industry, or of its tier where they are too few.
-- A product is one of its source: two sources may use one id for different products.
with rules as (
    select
        max(case when rule = 'peer_minimum' then value end) as peer_minimum,
        max(case when rule = 'peer_share' then value end) as peer_share
    from {{ ref('journey_rules') }}
),

owned as (
    select
        lines.customer_id, lines.source_relation, plans.product_id,
        sum(lines.monthly_rate_reporting) as mrr_reporting_amount
    from {{ ref('int_revenue__active_lines') }} as lines
    inner join {{ ref('int_billing__plans') }} as plans
        on lines.source_relation = plans.source_relation and lines.plan_id = plans.plan_id and plans.is_current
    where lines.known_until is null
        and lines.active_from <= {{ as_of_date() }}
        and lines.active_until > {{ as_of_date() }}
        and plans.product_id is not null
    group by lines.customer_id, lines.source_relation, plans.product_id
    having sum(lines.monthly_rate_reporting) >= 0.005
),

payers as (
    select
        paying.customer_id,
        tiers.tier, customers.industry, paying.products_owned,
        count(*) over (partition by tiers.tier, customers.industry) as peers_of_industry
    from (select customer_id, count(*) as products_owned from owned group by customer_id) as paying
    inner join {{ ref('int_customers__tiers') }} as tiers on paying.customer_id = tiers.customer_id
    inner join {{ ref('int_identities__customers') }} as customers on paying.customer_id = customers.customer_id
),

grouped as (
    select
        customer_id, tier, products_owned,
        case when has_peers_of_industry then 'tier and industry' else 'tier' end as peer_group,
        case when has_peers_of_industry then industry else '' end as industry
    from (
        select
            payers.*,
            payers.industry is not null and payers.peers_of_industry >= rules.peer_minimum as has_peers_of_industry
        from payers
        cross join rules
    ) as counted_peers
),

-- Each group is counted once, with all its members, whichever group they themselves are compared with. Of a whole tier the industry is '',
-- so that groups are found by equality: an "or" in a join compares each customer with all groups of its tier.
counted as (
    select 'tier and industry' as peer_group, tier, industry, count(*) as peers from payers group by tier, industry
    union all
    select 'tier', tier, '', count(*) from payers group by tier
),

owners as (
    select
        'tier and industry' as peer_group, payers.tier, payers.industry, owned.source_relation, owned.product_id, count(*) as owners,
        median(cast(owned.mrr_reporting_amount as double)) as usual_mrr
    from payers inner join owned on payers.customer_id = owned.customer_id
    group by payers.tier, payers.industry, owned.source_relation, owned.product_id
    union all
    select 'tier', payers.tier, '', owned.source_relation, owned.product_id, count(*), median(cast(owned.mrr_reporting_amount as double))
    from payers inner join owned on payers.customer_id = owned.customer_id
    group by payers.tier, owned.source_relation, owned.product_id
),

-- Hardly anybody owns two products that stand in for each other, such as two editions: a gap is what goes with all that one has. What one has does
-- not go with itself, and so is none.
together as (
    select one.source_relation, one.product_id, other.source_relation as other_source_relation, other.product_id as other_product_id
    from owned as one
    inner join owned as other
        on one.customer_id = other.customer_id and (one.product_id <> other.product_id or one.source_relation <> other.source_relation)
    cross join rules
    group by one.source_relation, one.product_id, other.source_relation, other.product_id, rules.peer_minimum
    having count(*) >= rules.peer_minimum
),

fitting as (
    select owned.customer_id, together.other_source_relation as source_relation, together.other_product_id as product_id, count(*) as products
    from owned
    inner join together on owned.source_relation = together.source_relation and owned.product_id = together.product_id
    group by owned.customer_id, together.other_source_relation, together.other_product_id
),

lacking as (
    select
        grouped.customer_id, grouped.peer_group, counted.peers,
        owners.source_relation, owners.product_id,
        cast(owners.owners as double) / counted.peers as peer_share,
        owners.usual_mrr
    from grouped
    cross join rules
    inner join counted
        on grouped.peer_group = counted.peer_group and grouped.tier = counted.tier and grouped.industry = counted.industry
    inner join owners
        on counted.peer_group = owners.peer_group and counted.tier = owners.tier and counted.industry = owners.industry
    inner join fitting
        on grouped.customer_id = fitting.customer_id and grouped.products_owned = fitting.products
            and owners.source_relation = fitting.source_relation and owners.product_id = fitting.product_id
    where counted.peers >= rules.peer_minimum and owners.owners >= rules.peer_share * counted.peers
),

final as (
    select
        customer_id, peer_group, peers, source_relation, product_id,
        {{ to_money('peer_share') }} as peer_share,
        {{ to_money('12 * usual_mrr') }} as usual_arr_reporting_amount,
        count(*) over (partition by customer_id) as products
    from lacking
    qualify row_number() over (partition by customer_id order by peer_share desc, usual_mrr desc, product_id, source_relation) = 1
)

select * from final
