-- Stripe's prices and, for accounts that still have them, the older plans, with the name of their product. One that stands in both
-- is taken as a price.
with prices as (
    select * from {{ ref('stg_stripe__prices') }}
),

plans as (
    select * from {{ ref('stg_stripe__plans') }}
),

-- A product's name is today's, for all versions of its prices: it labels, nothing is computed from it.
products as (
    select
        source_relation,
        product_id,
        product_name
    from {{ ref('stg_stripe__products') }}
    where is_current and not is_deleted
),

{% set columns = [
    'plan_id', 'product_id', 'plan_name', 'interval', 'interval_count', 'unit_amount', 'currency', 'usage_type',
    'source_relation', 'known_from', 'known_until', 'is_current', 'is_deleted',
] %}
all_plans as (
    select {{ columns | join(', ') }} from prices
    union all
    select {{ columns | join(', ') }} from plans
    where not exists (
        select 1 from prices
        where prices.source_relation = plans.source_relation and prices.plan_id = plans.plan_id
    )
),

final as (
    select
        all_plans.*,
        products.product_name
    from all_plans
    left join products
        on all_plans.source_relation = products.source_relation
            and all_plans.product_id = products.product_id
)

select * from final
