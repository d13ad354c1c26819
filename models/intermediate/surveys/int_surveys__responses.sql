{{ config(materialized='view') }}
{% set columns = [
    'response_id', 'kind', 'account_id', 'email', 'score', 'comment', 'theme', 'responded_at', 'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__responses'], columns) }}
)

select * from final
