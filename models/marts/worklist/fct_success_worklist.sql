with reasons as (
    select * from {{ ref('fct_success_reasons') }}
),

customers as (
    select * from {{ ref('int_identities__customers') }}
),

tiers as (
    select * from {{ ref('int_customers__tiers') }}
),

playbooks as (
    select * from {{ ref('playbooks') }}
),

cadences as (
    select * from {{ ref('cadences') }}
),

valued as (
    select
        reasons.customer_id,
        reasons.reason,
        reasons.started_on,
        reasons.evidence,
        playbooks.play,
        playbooks.channel,
        playbooks.urgency,
        tiers.tier,
        customers.owner_email,
        coalesce(reasons.due_on, reasons.started_on + cast(cadences.due_days as int)) as due_on,
        cast(
            round({{ to_money('cast(reasons.arr_reporting_amount as double) * cast(playbooks.value_share as double)') }}, 2)
            as decimal(18,4)
        ) as value_at_risk
    from reasons
    inner join customers on reasons.customer_id = customers.customer_id
    inner join tiers on reasons.customer_id = tiers.customer_id
    inner join playbooks on reasons.reason = playbooks.reason and tiers.touch_model = playbooks.touch_model
    inner join cadences on tiers.tier = cadences.tier
),

final as (
    select
        cast({{ dbt.hash("concat(customer_id, '|', reason, '|', cast(started_on as string))") }} as string) as worklist_id,
        cast(customer_id as string) as customer_id,
        {{ as_of_date() }} as as_of_date,
        cast(reason as string) as reason,
        started_on,
        cast(tier as string) as tier,
        cast(play as string) as play,
        cast({{ keyed_hash('owner_email') }} as string) as owner_email_hash,
        cast(channel as string) as channel,
        due_on,
        value_at_risk,
        cast(urgency as bigint) as urgency,
        cast(row_number() over (order by value_at_risk * urgency desc, urgency desc, customer_id, reason) as bigint) as rank,
        cast(evidence as string) as evidence,
        cast('{{ var("run_id") }}' as string) as run_id
    from valued
)

select * from final
