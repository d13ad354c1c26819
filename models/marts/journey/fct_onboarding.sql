{%- set plan = {
    'kickoff': 'kicked_off_on', 'training': 'trained_on', 'first_value': 'first_value_on', 'broad_adoption': 'broadly_used_on',
} -%}
{%- set risks = {
    'no_sponsor': 'no sponsor', 'no_training': 'no training', 'many_tickets': 'many early tickets', 'no_log_in': 'no log-in',
} -%}
{%- set rules = ['stuck_days', 'many_early_tickets', 'no_training_days', 'no_log_in_days'] -%}
with milestones as (
    select * from {{ ref('int_journey__onboarding_milestones') }}
),

rules as (
    select
        {%- for milestone in plan %}
        max(case when rule = '{{ milestone }}_week' then cast(value as int) end) * 7 as {{ milestone }}_days,
        {%- endfor %}
        {%- for rule in rules %}
        max(case when rule = '{{ rule }}' then cast(value as int) end) as {{ rule }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('journey_rules') }}
),

paying as (
    select customer_id from {{ ref('int_lifecycle__paying') }} group by customer_id having max(valid_to) > {{ as_of_date() }}
),

expected as (
    select
        milestones.*,
        tiers.tier,
        rules.*,
        paying.customer_id is not null as is_paying,
        {{ dbt.datediff('milestones.first_paid_on', as_of_date(), 'day') }} as days_so_far,
        milestones.is_meeting_expected as is_kickoff_expected,
        milestones.is_meeting_expected as is_training_expected,
        milestones.is_use_expected as is_first_value_expected,
        milestones.is_use_expected as is_broad_adoption_expected
    from milestones
    cross join rules
    inner join {{ ref('int_customers__tiers') }} as tiers on milestones.customer_id = tiers.customer_id
    left join paying on milestones.customer_id = paying.customer_id
),

judged as (
    select
        *,
        completed_on is null and is_paying and (is_history_kept or not is_use_expected) as is_open,
        {%- for milestone, reached_on in plan.items() %}
        case when is_{{ milestone }}_expected and {{ reached_on }} is null and days_so_far >= {{ milestone }}_days then 1 else 0 end
        {{- ' +' if not loop.last else ' as milestones_missed,' }}
        {%- endfor %}
        greatest(first_paid_on, {{ plan.values() | join(', ') }}) as last_progress_on,
        not has_sponsor as no_sponsor,
        case when is_training_expected then trained_on is null and days_so_far >= no_training_days end as no_training,
        early_tickets >= many_early_tickets as many_tickets,
        case when is_use_expected then first_used_on is null and days_so_far >= no_log_in_days end as no_log_in
    from expected
),

final as (
    select
        cast(customer_id as string) as customer_id,
        first_paid_on as started_on,
        cast(tier as string) as tier,
        first_paid_on + broad_adoption_days as planned_until,
        kicked_off_on,
        trained_on,
        first_used_on,
        first_value_on,
        broadly_used_on,
        completed_on,
        cast({{ dbt.datediff('first_paid_on', 'first_value_on', 'day') }} as bigint) as days_to_first_value,
        cast({{ dbt.datediff('first_paid_on', 'completed_on', 'day') }} as bigint) as days_to_complete,
        case when is_open then cast(floor(days_so_far / 7.0e0) as bigint) + 1 end as week,
        cast(case
            when not is_open then null
            {%- for milestone in plan %}
            when days_so_far < {{ milestone }}_days then '{{ milestone }}'
            {%- endfor %}
            else 'over'
        end as string) as phase,
        case when is_open and is_judged then cast(milestones_missed as bigint) end as milestones_missed,
        cast(case
            when completed_on is not null then 'completed'
            when not is_paying then 'left'
            when not is_judged then null
            when days_so_far >= broad_adoption_days then 'stuck'
            when milestones_missed = 0 then 'on_track'
            when {{ dbt.datediff('last_progress_on', as_of_date(), 'day') }} >= stuck_days then 'stuck'
            else 'behind'
        end as string) as status,
        cast(case
            when completed_on is not null or not is_paying or is_judged then null
            when is_use_expected then 'the days of its onboarding are no longer kept'
            when has_sponsor is null then 'neither a CRM nor a product source knows the customer'
            else 'no product source knows the customer'
        end as string) as unjudged_because,
        {%- for risk in risks %}
        case when is_open then {{ risk }} end as has_{{ risk }},
        {%- endfor %}
        case when is_open then cast(early_tickets as bigint) end as early_tickets,
        cast(nullif(trim(concat(
            {%- for risk, words in risks.items() %}
            case when is_open and {{ risk }} then '{{ words }}; ' else '' end{{ ',' if not loop.last }}
            {%- endfor %}
        )), '') as string) as risks,
        cast('{{ var("run_id") }}' as string) as run_id
    from judged
)

select * from final
