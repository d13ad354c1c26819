{%- set kinds = ['stated', 'root_cause'] %}
{%- set has_billing = 'billing' in var('present_domains') %}
{#- who was asked why: surveys and interviews state a reason, only an interview finds a root cause -#}
{%- set has_kind = {'stated': true, 'root_cause': 'crm' in var('present_domains')} %}
with mentions as (
    select * from {{ ref('int_voice__mentions') }}
),

paying as (
    select
        customer_id,
        12 * sum(mrr_reporting_amount) as arr
    from {{ ref('int_revenue__mrr_intervals') }}
    where mrr_amount > 0 and valid_from <= {{ as_of_date() }} and (valid_to > {{ as_of_date() }} or valid_to is null)
    group by customer_id
),

last_paid as (
    select * from {{ ref('int_customers__tiers') }}
),

counted as (
    select
        theme
        {%- for kind in kinds %},
        sum(case when reason_kind = '{{ kind }}' then 1 else 0 end) as {{ kind }}_mentions
        {%- endfor %},
        sum(case when mentioned_on > {{ as_of_date() }} + (-90) then 1 else 0 end) as mentions_90d,
        sum(case
            when mentioned_on <= {{ as_of_date() }} + (-90) and mentioned_on > {{ as_of_date() }} + (-180) then 1 else 0
        end) as mentions_prior_90d,
        min(mentioned_on) as first_mentioned_on,
        max(mentioned_on) as last_mentioned_on
    from mentions
    group by theme
),

raised as (
    select
        theme,
        reason_kind,
        customer_id
    from mentions
    where mentioned_on > {{ as_of_date() }} + (-365) and customer_id is not null
    group by theme, reason_kind, customer_id
),

reach as (
    select
        raised.theme
        {%- for kind in kinds %},
        sum(case when raised.reason_kind = '{{ kind }}' then 1 else 0 end) as {{ kind }}_customers,
        sum(case when raised.reason_kind = '{{ kind }}' then coalesce(paying.arr, 0) else 0 end) as {{ kind }}_arr,
        sum(case when raised.reason_kind = '{{ kind }}' and paying.customer_id is null
            then coalesce(last_paid.arr_reporting_amount, 0) else 0 end) as {{ kind }}_lost_arr
        {%- endfor %}
    from raised
    left join paying on raised.customer_id = paying.customer_id
    left join last_paid on raised.customer_id = last_paid.customer_id
    group by raised.theme
),

final as (
    select
        cast(counted.theme as string) as theme
        {%- for kind in kinds %},
        cast({{ 'counted.' ~ kind ~ '_mentions' if has_kind[kind] else 'null' }} as bigint) as {{ kind }}_mentions,
        cast({{ 'coalesce(reach.' ~ kind ~ '_customers, 0)' if has_kind[kind] else 'null' }} as bigint) as {{ kind }}_customers
        {%- for amount in ['arr', 'lost_arr'] %},
        cast(
            {{ 'coalesce(reach.' ~ kind ~ '_' ~ amount ~ ', 0)' if has_billing and has_kind[kind] else 'null' }} as decimal(18,4)
        ) as {{ kind }}_{{ amount }}_reporting_amount
        {%- endfor %}
        {%- endfor %},
        cast(counted.mentions_90d as bigint) as mentions_90d,
        cast(counted.mentions_prior_90d as bigint) as mentions_prior_90d,
        counted.first_mentioned_on,
        counted.last_mentioned_on,
        cast('{{ var("run_id") }}' as string) as run_id
    from counted
    left join reach on counted.theme = reach.theme
)

select * from final
