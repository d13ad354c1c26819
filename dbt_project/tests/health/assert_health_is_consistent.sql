-- The score lies within its range and band, is there exactly when enough is known, and its change is the sum of its parts.
select *
from {{ ref('fct_customer_health_daily') }}
where
    {{ days_of_this_run('as_of_date', 'run_id') }} and (
        health_score not between 0 and 100
        or (health_score is null) <> (health_band is null)
        or (health_score is null) <> (unscored_because is not null)
        or change_28d <> change_from_behaviour + change_from_data + change_from_configuration
        or (change_28d is null) <> (change_from_data is null)
        or coverage not between 0 and 1
    )
