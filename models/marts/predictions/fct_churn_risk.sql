with snapshots as (
    select customer_id, as_of_date, mrr_reporting_amount
    from {{ ref('int_predictions__churn_snapshots') }}
    where as_of_date = {{ as_of_date() }}
),

scores as (
    select * from {{ source('predictions', 'churn_scores') }}
),

bands as (
    select
        max(case when rule = 'risk_medium_from' then value end) as medium_from,
        max(case when rule = 'risk_high_from' then value end) as high_from,
        max(definition_version) as definition_version
    from {{ ref('prediction_rules') }}
),

final as (
    select
        snapshots.customer_id,
        snapshots.as_of_date,
        scores.churn_probability,
        case
            when scores.churn_probability >= bands.high_from then 'high'
            when scores.churn_probability >= bands.medium_from then 'medium'
            when scores.churn_probability is not null then 'low'
        end as risk_band,
        scores.driver_1,
        scores.effect_1,
        scores.driver_2,
        scores.effect_2,
        scores.driver_3,
        scores.effect_3,
        snapshots.mrr_reporting_amount,
        {{ to_money('scores.churn_probability * cast(snapshots.mrr_reporting_amount as double)') }} as mrr_at_risk,
        '{{ var("reporting_currency") }}' as currency,
        scores.model_version,
        case
            when scores.churn_probability is null then coalesce(scores.abstained_because, 'not scored in this run')
        end as abstained_because,
        bands.definition_version,
        '{{ var("run_id") }}' as run_id
    from snapshots
    cross join bands
    left join scores on snapshots.customer_id = scores.customer_id and snapshots.as_of_date = scores.as_of_date
)

select * from final
