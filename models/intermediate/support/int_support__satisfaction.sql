{{ config(materialized='view') }}
{% set columns = [
    'rating_id', 'ticket_id', 'score', 'comment', 'rated_at',
] %}

with final as (
    {{ unify(['stg_own__satisfaction', 'int_support__zendesk_satisfaction'], columns) }}
)

select * from final
