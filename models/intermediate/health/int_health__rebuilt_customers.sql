-- The one place where a model looks at what an earlier run left behind: customers whose stored days rest on other identities than
-- today's (a merge, a new link), or who have none. Their whole history is computed again; of all others only the run's window.
{%- set previous = none %}
{%- if execute and target.type == 'duckdb' and not flags.FULL_REFRESH and adapter.get_relation(this.database, this.schema, 'int_health__daily') %}
    {%- set previous = adapter.get_relation(this.database, 'main', 'int_health__daily__identities') %}
{%- endif %}
with customers as (
    select
        customer_id,
        identity_fingerprint
    from {{ ref('int_identities__customers') }}
),

final as (
    select customers.customer_id
    from customers
    {%- if previous is not none %}
    left join {{ previous }} as computed
        on customers.customer_id = computed.customer_id and customers.identity_fingerprint = computed.identity_fingerprint
    where computed.customer_id is null
    {%- endif %}
)

select * from final
