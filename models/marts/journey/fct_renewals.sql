{%- set risks = {
    'health_red': ('days.score_points < 100 * limits.health_red', 'health is red'),
    'cancellation_requested': ('renewals.is_cancellation_requested', 'a cancellation was asked for'),
    'use_fell': ('days.use_trend <= limits.use_fell', 'use fell'),
    'contact_left': ('days.sponsor_active <= limits.contact_left', 'the key contact left'),
    'escalation_open': ('days.open_escalations >= limits.escalation_open', 'an escalation is open'),
    'support_weak': ('days.support_points < 100 * limits.support_weak', 'tickets are old or urgent'),
    'sentiment_low': ('days.sentiment_points < 100 * limits.sentiment_low', 'NPS, CSAT or CES is low'),
    'seats_unused': ('days.seat_use < limits.seats_unused', 'seats are unused'),
    'past_due': ('days.days_past_due >= limits.past_due', 'a payment is past due'),
} -%}
with limits as (
    select
        {%- for risk in risks %}
        max(case when item = '{{ risk }}' then threshold end) as {{ risk }},
        max(case when item = '{{ risk }}' then points end) as {{ risk }}_points,
        {%- endfor %}
        sum(points) as all_points
    from {{ ref('journey_points') }}
    where topic = 'renewal'
),

categories as (
    select *, lead(min_points) over (order by min_points) as next_points from {{ ref('renewal_categories') }}
),

judged as (
    select
        renewals.*,
        days.tier,
        days.score_points,
        days.seat_use,
        days.customer_id is not null as is_judged,
        {%- for risk, (condition, words) in risks.items() %}
        case when days.customer_id is not null then {{ condition }} end as {{ risk }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_journey__renewals') }} as renewals
    cross join limits
    left join {{ ref('int_health__daily') }} as days on renewals.customer_id = days.customer_id and renewals.judged_on = days.as_of_date
),

weighed as (
    select
        judged.*,
        limits.all_points,
        {%- for points, condition in {'points': '', 'known_points': ' is not null'}.items() %}
        {% for risk in risks %}case when judged.{{ risk }}{{ condition }} then {{ risk }}_points else 0 end{{ ' + ' if not loop.last }}{% endfor %}
        as {{ points }},
        {%- endfor %}
        case
            when renewed_mrr_reporting_amount is null then 'open'
            when renewed_mrr_reporting_amount < 0.005 then 'lost'
            when renewed_mrr_reporting_amount < mrr_reporting_amount - 0.005 then 'reduced'
            when renewed_mrr_reporting_amount > mrr_reporting_amount + 0.005 then 'expanded'
            else 'renewed'
        end as outcome
    from judged
    cross join limits
),

-- What is agreed is as good as done. That nothing speaks against it is said only where most of what could would be seen.
placed as (
    select *, case when agreed_on is not null then 0 when points > 0 or 2 * known_points >= all_points then points end as placed_points
    from weighed
),

categorised as (
    select placed.*, categories.category, categories.probability
    from placed
    left join categories on placed.is_judged and placed.placed_points >= categories.min_points
        and (placed.placed_points < categories.next_points or categories.next_points is null)
),

-- The seed's opinion, and beside it what became of our own renewals of the category.
experience as (
    select category, count(*) as renewals, count(case when outcome <> 'lost' then 1 end) as kept
    from categorised
    where outcome <> 'open' and category is not null
    group by category
),

final as (
    select
        cast(categorised.customer_id as string) as customer_id,
        categorised.renews_on,
        categorised.term_from,
        cast(categorised.tier as string) as tier,
        cast({{ dbt.datediff(as_of_date(), 'categorised.renews_on', 'day') }} as bigint) as days_to_renewal,
        cast(12 * categorised.mrr_reporting_amount as decimal(18,4)) as arr_reporting_amount,
        categorised.judged_on,
        cast(categorised.score_points * 0.01 as decimal(18,4)) as health_score,
        cast(categorised.seat_use as decimal(18,4)) as licence_use,
        {%- for risk in risks %}
        categorised.{{ risk }} as is_{{ risk }},
        {%- endfor %}
        cast(nullif(trim(concat(
            {%- for risk, (condition, words) in risks.items() %}
            case when categorised.{{ risk }} then '{{ words }}; ' else '' end{{ ',' if not loop.last }}
            {%- endfor %}
        )), '') as string) as risks,
        case when categorised.is_judged then cast(categorised.points as bigint) end as risk_points,
        cast(categorised.category as string) as category,
        {{ to_money('(rules.value * categorised.probability + coalesce(experience.kept, 0)) / (rules.value + coalesce(experience.renewals, 0))') }}
            as probability,
        cast(case
            when not is_judged then 'no health on the day' when placed_points is null then 'under half of what could speak against it is known'
        end as string) as unjudged_because,
        categorised.quote_due_on,
        categorised.quoted_on,
        categorised.outcome = 'open' and categorised.quote_due_on <= {{ as_of_date() }} and categorised.quoted_on is null as is_quote_overdue,
        categorised.agreed_on,
        cast(categorised.outcome as string) as outcome,
        cast(12 * categorised.renewed_mrr_reporting_amount as decimal(18,4)) as renewed_arr_reporting_amount,
        cast('{{ var("run_id") }}' as string) as run_id
    from categorised
    inner join {{ ref('journey_rules') }} as rules on rules.rule = 'prior_renewals'
    left join experience on categorised.category = experience.category
)

select * from final
