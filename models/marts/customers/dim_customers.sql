-- One row per customer as it stands at as_of_date. Without billing its money is unknown (NULL), not zero.
with customers as (
    select * from {{ ref('int_identities__customers') }}
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

intervals as (
    select * from {{ ref('fct_customer_mrr') }}
),

-- the main currency is the one that brings most now; of who has left, the one that it paid last
main_currency as (
    select customer_id, currency, case when valid_to is null then mrr_amount else 0 end as mrr_amount
    from intervals
    qualify row_number() over (
        partition by customer_id order by coalesce(valid_to, cast('9999-12-31' as date)) desc, mrr_reporting_amount desc, currency
    ) = 1
),

paid as (
    select
        customer_id,
        min(valid_from) as first_paid_on,
        case when count(*) > count(valid_to) then {{ as_of_date() }} else max(valid_to) - 1 end as last_paid_on,
        case when count(*) = count(valid_to) then max(valid_to) end as churned_on,
        sum(case when valid_to is null then mrr_reporting_amount else 0 end) as mrr_reporting_amount
    from intervals
    group by customer_id
),

stages as (
    select * from {{ ref('fct_lifecycle_stages') }}
    where valid_to is null
),

health as (
    select * from {{ ref('fct_customer_health_daily') }}
    where as_of_date = {{ as_of_date() }}
),

final as (
    select
        customers.customer_id,
        customers.customer_name,
        customers.parent_customer_id,
        tiers.tier,
        tiers.touch_model,
        {{ keyed_hash('customers.owner_email') }} as owner_email_hash,
        customers.industry,
        customers.country,
        customers.employees,
        customers.has_account,
        {{ reporting_date('customers.created_at') }} as first_seen_on,
        coalesce(main_currency.currency, customers.currency) as currency,
        paid.first_paid_on,
        paid.last_paid_on,
        paid.churned_on,
        cast(date_trunc('month', paid.first_paid_on) as date) as cohort_month,
        stages.stage as lifecycle_stage,
        stages.valid_from as lifecycle_stage_since,
        health.health_score,
        health.health_band,
        health.override_band as health_band_override,
        {%- if 'billing' in var('present_domains') %}
        cast(coalesce(main_currency.mrr_amount, 0) as decimal(18,4)) as mrr_amount,
        cast(coalesce(paid.mrr_reporting_amount, 0) as decimal(18,4)) as mrr_reporting_amount,
        {%- else %}
        cast(null as decimal(18,4)) as mrr_amount,
        cast(null as decimal(18,4)) as mrr_reporting_amount,
        {%- endif %}
        '{{ var("run_id") }}' as run_id
    from customers
    left join tiers on customers.customer_id = tiers.customer_id
    left join main_currency on customers.customer_id = main_currency.customer_id
    left join paid on customers.customer_id = paid.customer_id
    left join stages on customers.customer_id = stages.customer_id
    left join health on customers.customer_id = health.customer_id
)

select * from final
