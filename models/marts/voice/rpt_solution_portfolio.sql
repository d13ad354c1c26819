{%- set has_billing = 'billing' in var('present_domains') %}
{%- set sides = {'reached': 'has_raised', 'other': 'not has_raised'} %}
with solutions as (
    select
        *,
        coalesce(launched_on <= {{ as_of_date() }}, false) as is_launched,
        coalesce(launched_on + 90 <= {{ as_of_date() }}, false) as is_measurable
    from {{ ref('solutions') }}
),

-- MRR of those who paid when it was launched: who came later says nothing of what it did.
customers as (
    select
        solution_id,
        sum(case when has_raised then 1 else 0 end) as reach_customers,
        sum(case when has_raised and is_aware then 1 else 0 end) as aware_customers
        {%- for side, condition in sides.items() %},
        sum(case when {{ condition }} then mrr_before else 0 end) as {{ side }}_before,
        sum(case when {{ condition }} and mrr_before > 0 then mrr_after else 0 end) as {{ side }}_after
        {%- endfor %}
    from {{ ref('int_voice__solution_customers') }}
    group by solution_id
),

mentions as (
    select
        solutions.solution_id,
        sum(case when mentions.mentioned_on < solutions.launched_on then 1 else 0 end) as before_90d,
        sum(case when mentions.mentioned_on >= solutions.launched_on then 1 else 0 end) as after_90d
    from solutions
    inner join {{ ref('int_voice__mentions') }} as mentions
        on
            solutions.theme = mentions.theme
            and mentions.mentioned_on >= solutions.launched_on + (-90)
            and mentions.mentioned_on < solutions.launched_on + 90
    group by solutions.solution_id
),

-- Whose feature or campaign a source knows: of a mistyped one nobody would ever be seen to know.
observable as (
    select solutions.solution_id
    from solutions
    inner join {{ ref('dim_features') }} as features on solutions.feature = features.feature
    union
    select solutions.solution_id
    from solutions
    inner join {{ ref('int_crm__campaign_members') }} as members on solutions.campaign_id = members.campaign_id
),

joined as (
    select
        solutions.*,
        observable.solution_id is not null as is_observable,
        coalesce(customers.reach_customers, 0) as reach_customers,
        {{ 'coalesce(customers.reached_before, 0)' if has_billing else 'cast(null as decimal(18,4))' }} as mrr_reached,
        case when solutions.is_launched and observable.solution_id is not null then coalesce(customers.aware_customers, 0) end as aware_customers,
        case when solutions.is_launched then coalesce(mentions.before_90d, 0) end as mentions_before_90d,
        case when solutions.is_measurable then coalesce(mentions.after_90d, 0) end as mentions_after_90d,
        case when solutions.is_measurable then cast(customers.reached_after as double) / nullif(customers.reached_before, 0) end as reached_nrr,
        case when solutions.is_measurable then cast(customers.other_after as double) / nullif(customers.other_before, 0) end as other_nrr
    from solutions
    left join customers on solutions.solution_id = customers.solution_id
    left join mentions on solutions.solution_id = mentions.solution_id
    left join observable on solutions.solution_id = observable.solution_id
),

measured as (
    select
        *,
        {{ to_money('(reached_nrr - other_nrr) * 12 * mrr_reached') }} as measured_return_amount
    from joined
),

final as (
    select
        solution_id, solution_name, theme, status, proposed_on, launched_on,
        cast(reach_customers as bigint) as reach_customers,
        cast(12 * mrr_reached as decimal(18,4)) as reach_arr_reporting_amount,
        expected_return_amount as expected_return_reporting_amount,
        budget_amount as budget_reporting_amount,
        staff,
        {{ to_money('cast(expected_return_amount as double) / nullif(budget_amount, 0)') }} as expected_return_on_budget,
        cast(aware_customers as bigint) as aware_customers,
        {{ to_money('cast(aware_customers as double) / nullif(reach_customers, 0)') }} as awareness,
        cast(case
            when not is_launched then 'not launched'
            when feature is null and campaign_id is null then 'neither a feature nor a campaign is named'
            when not is_observable then 'no source knows its feature or its campaign'
            when reach_customers = 0 then 'nobody raised it'
        end as string) as awareness_missing_because,
        cast(mentions_before_90d as bigint) as mentions_before_90d,
        cast(mentions_after_90d as bigint) as mentions_after_90d,
        {{ to_money('reached_nrr') }} as reached_nrr_90d,
        {{ to_money('other_nrr') }} as other_nrr_90d,
        measured_return_amount as measured_return_reporting_amount,
        {{ to_money('cast(measured_return_amount as double) / nullif(budget_amount, 0)') }} as measured_return_on_budget,
        cast(case
            when measured_return_amount is not null then null
            when not is_launched then 'not launched'
            when not is_measurable then 'launched less than 90 days ago'
            {{ "when true then 'no billing source'" if not has_billing }}
            when reached_nrr is null then 'none of those who raised it paid' else 'nobody else paid'
        end as string) as return_missing_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from measured
)

select * from final
