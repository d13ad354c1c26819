{{ config(materialized='view') }}
{% set columns = [
    'event_id', 'ticket_id', 'occurred_at', 'kind', 'actor_role', 'from_value', 'to_value',
] %}

with final as (
    {{ unify(['stg_own__ticket_events', 'int_support__zendesk_ticket_events'], columns) }}
)

select * from final
