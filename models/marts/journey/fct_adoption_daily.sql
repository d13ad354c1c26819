-- depends_on: {{ ref('int_identities__customers') }}
{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{% if is_incremental() %}{{ forget_health_days(this) }}{% endif %}",
    post_hook="{{ remember_identities(this) }}"
) }}
with days as (
    {{ health_days_to_publish() }}
),

-- What a silent product source seems to say about its users is not said.
final as (
    select
        cast(customer_id as string) as customer_id,
        as_of_date,
        cast(tier as string) as tier,
        cast(seats as decimal(18,4)) as seats,
        {%- for column in ['active_users_28d', 'features_28d', 'core_features_28d'] %}
        case when is_product_observed then cast({{ column }} as bigint) end as {{ column }},
        {%- endfor %}
        case when is_product_observed then last_used_on end as last_used_on,
        cast(seat_use as decimal(18,4)) as licence_use,
        cast(feature_breadth as decimal(18,4)) as feature_breadth,
        cast(core_feature_share as decimal(18,4)) as core_feature_share,
        cast(stickiness as decimal(18,4)) as stickiness,
        cast(use_trend as decimal(18,4)) as use_trend,
        cast(adoption_points * 0.01 as decimal(18,4)) as adoption_score,
        cast(case
            when is_product_observed is null then 'no product source knows the customer'
            when not is_product_observed then 'the product source is silent'
            when tenure_days < 28 then 'customer for fewer than 28 days'
            when paying_days < 28 then 'back for fewer than 28 days'
            when seats is null then 'no seats are sold: no licence use'
            when feature_breadth is null then 'the product source lists no features'
            when core_feature_share is null then 'the product source lists no core features'
        end as string) as unmeasured_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from days
)

select * from final
