{%- set conditions = [
    'paying', 'ever_paid', 'returned', 'red', 'escalated', 'past_due', 'renewing', 'onboarding', 'expanded', 'adopting', 'opportunity',
    'ordered',
] -%}
-- Which conditions hold between one change and the next: +1 where a condition begins, -1 where it ends, summed over time.
with conditions as (
    select * from {{ ref('int_lifecycle__conditions') }}
),

changes as (
    select customer_id, condition, valid_from as changed_on, 1 as change from conditions
    union all
    select customer_id, condition, valid_to as changed_on, -1 as change from conditions where valid_to is not null
),

daily_changes as (
    select
        customer_id,
        changed_on
        {%- for condition in conditions %},
        sum(case when condition = '{{ condition }}' then change else 0 end) as {{ condition }}
        {%- endfor %}
    from changes
    group by customer_id, changed_on
),

states as (
    select
        customer_id,
        changed_on as valid_from,
        lead(changed_on) over (partition by customer_id order by changed_on) as valid_to
        {%- for condition in conditions %},
        sum({{ condition }}) over (partition by customer_id order by changed_on) > 0 as {{ condition }}
        {%- endfor %}
    from daily_changes
),

-- The dictionary's order of precedence. Whoever never paid, nor ordered, is a prospect or nothing.
final as (
    select
        customer_id,
        case
            when ever_paid and not paying then 'churned'
            when paying and returned then 'won_back'
            when paying and (red or escalated or past_due) then 'conflict'
            when paying and renewing then 'renewal'
            when paying and onboarding then 'onboarding'
            when paying and expanded then 'expansion'
            when paying and adopting then 'adoption'
            when paying then 'retention'
            when opportunity and not ordered then 'prospect'
        end as stage,
        valid_from,
        valid_to
    from states
)

select * from final
