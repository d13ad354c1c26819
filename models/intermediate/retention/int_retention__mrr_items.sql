-- Everything that MRR is summed from: lines, and what credit notes take away from them. Every version, with the days on which it counts and
-- the days on which it was known.
{{ config(materialized='view') }}

with final as (
    {%- for record, id, model in [('line', 'line_id', 'int_revenue__active_lines'), ('credit', 'credit_id', 'int_revenue__credit_effects')] %}
    select
        source_relation,
        '{{ record }}' as record,
        {{ id }} as record_id,
        line_id,
        customer_id,
        coalesce(subscription_id, 'none') as subscription_key,
        currency,
        monthly_rate,
        monthly_rate_reporting,
        active_from,
        active_until,
        known_from,
        known_until
    from {{ ref(model) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
