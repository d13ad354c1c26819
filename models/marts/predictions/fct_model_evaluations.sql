with evaluations as (
    select * from {{ source('predictions', 'model_evaluations') }}
    where as_of_date = {{ as_of_date() }}
),

final as (
    select
        model,
        model_version,
        segment,
        metric,
        value,
        low,
        high,
        observations,
        events,
        note,
        as_of_date,
        '{{ var("run_id") }}' as run_id
    from evaluations
)

select * from final
