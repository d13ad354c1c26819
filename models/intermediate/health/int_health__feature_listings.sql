-- When the catalogue of a source held a feature for a core one, and when it did not list it, as between two names of one feature. Each feature
-- that was ever listed has the days before its first: what has no row here was never listed.
with features as (
    select * from {{ ref('int_product__features') }}
),

gaps as (
    select
        source_relation,
        feature,
        coalesce(lag(known_until) over (partition by source_relation, feature order by known_from), cast('0001-01-01' as date)) as valid_from,
        known_from as valid_to
    from features
    union all
    select
        source_relation,
        feature,
        max(known_until) as valid_from,
        cast('9999-12-31' as date) as valid_to
    from features
    group by source_relation, feature
    having count(*) = count(known_until)
),

final as (
    select
        source_relation,
        feature,
        'core_features_28d' as measure,
        known_from as valid_from,
        coalesce(known_until, cast('9999-12-31' as date)) as valid_to
    from features
    where is_core
    union all
    select
        source_relation,
        feature,
        'unlisted_features_28d' as measure,
        valid_from,
        valid_to
    from gaps
)

select * from final
