{{ config(materialized='view') }}
{% set columns = [
    'goal_id', 'account_id', 'outcome', 'metric', 'baseline', 'target', 'current_value', 'due_on',
    'achieved_at', 'value_realized', 'currency', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__success_goals', 'stg_hubspot__success_goals'], columns) }}
)

select * from final
