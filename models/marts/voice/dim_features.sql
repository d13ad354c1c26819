with listed as (
    select * from {{ ref('int_product__features') }} where is_current
),

used as (
    select
        source_relation,
        feature,
        min(first_used_on) as first_used_on,
        max(last_used_on) as last_used_on
    from {{ ref('int_voice__feature_months') }}
    group by source_relation, feature
),

final as (
    select
        cast(coalesce(listed.source_relation, used.source_relation) as string) as source_relation,
        cast(coalesce(listed.feature, used.feature) as string) as feature,
        listed.feature is not null as is_listed,
        listed.is_core,
        used.first_used_on,
        used.last_used_on,
        cast('{{ var("run_id") }}' as string) as run_id
    from listed
    full outer join used on listed.source_relation = used.source_relation and listed.feature = used.feature
)

select * from final
