-- Whoever a win-back campaign was aimed at, and whether it came back in time. Who is not back while there is time is neither yes nor no.
with members as (
    select
        members.source_relation,
        members.campaign_id,
        nodes.customer_id,
        max({{ without_addresses('members.campaign_name') }}) as campaign_name,
        min({{ reporting_date('members.targeted_at') }}) as targeted_on,
        min(case when members.is_control then 1 else 0 end) = 1 as is_control,  -- of two records of one campaign one was contacted: contacted
        min({{ reporting_date(happened('members.responded_at')) }}) as responded_on,
        case when count(members.cost) = count(case when rates.exchange_rate is not null then members.cost end)  -- a part of it would look cheap
            then {{ to_money('sum(cast(members.cost as double) * cast(rates.exchange_rate as double))') }}
        end as cost_reporting_amount
    from {{ ref('int_crm__campaign_members') }} as members
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'crm' and members.source_relation = nodes.source_relation and members.account_id = nodes.source_id
    left join {{ ref('int_revenue__exchange_rates') }} as rates
        on
            coalesce(members.currency, '{{ var("reporting_currency") }}') = rates.currency
            and {{ reporting_date('members.targeted_at') }} >= rates.valid_from
            and {{ reporting_date('members.targeted_at') }} < rates.valid_to
    where members.is_current and members.kind = 'win_back' and {{ reporting_date('members.targeted_at') }} <= {{ as_of_date() }}
    group by members.source_relation, members.campaign_id, nodes.customer_id
),

windows as (
    select
        members.*,
        members.targeted_on + cast(rules.value as int) as window_ends_on
    from members
    inner join {{ ref('journey_rules') }} as rules on rules.rule = 'win_back_days'
),

stretches as (
    select
        windows.source_relation,
        windows.campaign_id,
        windows.customer_id,
        max(case when paying.valid_to <= windows.targeted_on then paying.valid_to end) as left_on,
        min(
            case
                when paying.stretch_number > 1 and paying.valid_from >= windows.targeted_on and paying.valid_from <= windows.window_ends_on
                    then paying.valid_from
            end
        ) as reactivated_on
    from windows
    inner join {{ ref('int_lifecycle__paying') }} as paying on windows.customer_id = paying.customer_id
    group by windows.source_relation, windows.campaign_id, windows.customer_id
),

regained as (
    select
        customer_id,
        moved_on,
        sum(mrr_change_reporting) as mrr_reporting_amount
    from {{ ref('fct_mrr_movements') }}
    where movement in ('reactivation', 'new')
    group by customer_id, moved_on
),

final as (
    select
        cast(windows.source_relation as string) as source_relation,
        cast(windows.campaign_id as string) as campaign_id,
        cast(windows.customer_id as string) as customer_id,
        cast(windows.campaign_name as string) as campaign_name,
        windows.targeted_on,
        windows.is_control,
        windows.responded_on,
        stretches.left_on,
        windows.window_ends_on,
        stretches.reactivated_on,
        cast({{ dbt.datediff('windows.targeted_on', 'stretches.reactivated_on', 'day') }} as bigint) as days_to_return,
        case
            when stretches.reactivated_on is not null then true
            when windows.window_ends_on < {{ as_of_date() }} then false
        end as is_reactivated,
        case
            when stretches.reactivated_on is not null then cast(coalesce(regained.mrr_reporting_amount, 0) as decimal(18,4))
            when windows.window_ends_on < {{ as_of_date() }} then cast(0 as decimal(18,4))
        end as regained_mrr_reporting_amount,
        windows.cost_reporting_amount,
        cast('{{ var("run_id") }}' as string) as run_id
    from windows
    left join stretches
        on
            windows.source_relation = stretches.source_relation
            and windows.campaign_id = stretches.campaign_id
            and windows.customer_id = stretches.customer_id
    left join regained on stretches.customer_id = regained.customer_id and stretches.reactivated_on = regained.moved_on
)

select * from final
