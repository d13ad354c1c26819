with movements as (
    select * from {{ ref('int_revenue__mrr_movements') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

final as (
    select
        movements.customer_id,
        movements.currency,
        movements.moved_on,
        movements.movement,
        cast(movements.mrr_before as decimal(18,4)) as mrr_before,
        cast(movements.mrr_after as decimal(18,4)) as mrr_after,
        movements.mrr_change,
        movements.mrr_change_reporting,
        rules.definition_version,
        '{{ var("run_id") }}' as run_id
    from movements
    cross join rules
)

select * from final
