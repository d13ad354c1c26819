-- Whoever looks after a customer today, or touched one ever. Names and addresses stay in the CRM.
with customers as (
    select
        customers.owner_email,
        count(*) as customers,
        count(health.customer_id) as paying_customers,
        count(case when health.health_band = 'red' then 1 end) as red_customers,
        sum(mrr.mrr_reporting_amount) as mrr_reporting_amount
    from {{ ref('int_identities__customers') }} as customers
    left join {{ ref('fct_customer_health_daily') }} as health
        on customers.customer_id = health.customer_id and health.as_of_date = {{ as_of_date() }}
    left join (
        select customer_id, sum(mrr_reporting_amount) as mrr_reporting_amount
        from {{ ref('fct_customer_mrr') }}
        where valid_to is null
        group by customer_id
    ) as mrr on customers.customer_id = mrr.customer_id
    where customers.owner_email is not null
    group by customers.owner_email
),

touches as (
    select
        owner_email,
        max({{ reporting_date('occurred_at') }}) as last_touched_on,
        count(case when {{ reporting_date('occurred_at') }} > {{ as_of_date() }} - 30 then 1 end) as touches_30d
    from {{ ref('int_crm__activities') }}
    where is_current and owner_email is not null and {{ reporting_date('occurred_at') }} <= {{ as_of_date() }}
    group by owner_email
),

final as (
    select
        cast({{ keyed_hash('coalesce(customers.owner_email, touches.owner_email)') }} as string) as owner_email_hash,
        coalesce(customers.customers, 0) as customers,
        {%- if 'billing' in var('present_domains') %}
        coalesce(customers.paying_customers, 0) as paying_customers,
        coalesce(customers.red_customers, 0) as red_customers,
        cast(coalesce(customers.mrr_reporting_amount, 0) as decimal(18,4)) as mrr_reporting_amount,
        {%- else %}
        cast(null as bigint) as paying_customers,
        cast(null as bigint) as red_customers,
        cast(null as decimal(18,4)) as mrr_reporting_amount,
        {%- endif %}
        coalesce(touches.touches_30d, 0) as touches_30d,
        touches.last_touched_on,
        cast('{{ var("run_id") }}' as string) as run_id
    from customers
    full outer join touches on customers.owner_email = touches.owner_email
)

select * from final
