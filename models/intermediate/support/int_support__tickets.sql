{{ config(materialized='view') }}
{% set columns = [
    'ticket_id', 'organization_id', 'requester_email', 'subject', 'priority', 'status', 'channel', 'tags',
    'assignee_id', 'created_at', 'solved_at', 'updated_at',
] %}

with final as (
    {{ unify(['stg_own__tickets', 'int_support__zendesk_tickets'], columns) }}
)

select * from final
