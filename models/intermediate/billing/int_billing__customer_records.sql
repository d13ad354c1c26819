-- With what was deleted: the invoices of a customer that billing no longer has still belong to somebody.
{{ config(materialized='view') }}
{% set columns = [
    'customer_id', 'account_id', 'name', 'email', 'domain', 'country', 'currency', 'created_at', 'updated_at',
    'first_landed_on',
] %}

with final as (
    {{ unify(['stg_own__customers', 'stg_stripe__customers'], columns, keep_deleted=true) }}
)

select * from final
