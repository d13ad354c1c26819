{{ config(materialized='view') }}
{% set columns = [
    'subscription_id', 'customer_id', 'status', 'plan_id', 'quantity', 'unit_amount', 'currency', 'interval',
    'interval_count', 'discount_percent', 'discount_ends_at', 'started_at', 'trial_ends_at', 'paused_at',
    'resumed_at', 'cancel_requested_at', 'canceled_at', 'ended_at', 'current_period_start',
    'current_period_end', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__subscriptions', 'int_billing__stripe_subscriptions'], columns) }}
)

select * from final
