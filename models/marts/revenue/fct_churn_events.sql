with endings as (
    select * from {{ ref('int_churn__endings') }}
),

causes as (
    select * from {{ ref('int_churn__causes') }}
),

interviews as (
    select * from {{ ref('int_churn__interviews') }}
),

themes as (
    select * from {{ ref('churn_themes') }}
),

days_before as (
    {%- for days in [30, 60, 90] %}
    select customer_id, churned_on, {{ days }} as days_before, churned_on - {{ days }} as as_of_date from endings{{ ' union all' if not loop.last }}
    {%- endfor %}
),

health as (
    select
        days_before.customer_id,
        days_before.churned_on
        {%- for days in [30, 60, 90] %},
        max(case when days_before.days_before = {{ days }} then health.health_score end) as health_score_{{ days }}d_before
        {%- endfor %}
    from days_before
    inner join {{ ref('fct_customer_health_daily') }} as health
        on days_before.customer_id = health.customer_id and days_before.as_of_date = health.as_of_date
    group by days_before.customer_id, days_before.churned_on
),

-- What the customer said in the interview, else when it cancelled. What is on no list is other: it may be free text.
reasoned as (
    select
        endings.*,
        causes.churn_type,
        causes.evidence,
        interviews.interviewed_on,
        coalesce(interviews.stated_reason, causes.stated_reason) as stated,
        interviews.root_cause as found
    from endings
    inner join causes
        on endings.customer_id = causes.customer_id
            and endings.churned_on = causes.churned_on
    left join interviews
        on endings.customer_id = interviews.customer_id
            and endings.churned_on = interviews.churned_on
),

final as (
    select
        cast({{ dbt.hash("concat(reasoned.customer_id, '|', cast(reasoned.churned_on as string))") }} as string) as churn_id,
        reasoned.customer_id,
        reasoned.churned_on,
        cast(reasoned.churn_number as int) as churn_number,
        reasoned.churn_type,
        reasoned.evidence,
        reasoned.currency,
        cast(reasoned.mrr_lost_amount as decimal(18,4)) as mrr_lost_amount,
        reasoned.mrr_lost_reporting_amount,
        reasoned.paying_since,
        cast(reasoned.tenure_days as int) as tenure_days,
        case when stated_themes.reason is not null then reasoned.stated when reasoned.stated is not null then 'other' end as stated_reason,
        case when reasoned.stated is not null then coalesce(stated_themes.theme, 'other') end as stated_theme,
        case when found_themes.reason is not null then reasoned.found when reasoned.found is not null then 'other' end as root_cause,
        case when reasoned.found is not null then coalesce(found_themes.theme, 'other') end as root_cause_theme,
        reasoned.interviewed_on,
        {% for days in [30, 60, 90] -%}
        health.health_score_{{ days }}d_before,
        {% endfor -%}
        reasoned.reactivated_on,
        '{{ var("run_id") }}' as run_id
    from reasoned
    left join themes as stated_themes on {{ churn_reason('reasoned.stated') }} = stated_themes.reason
    left join themes as found_themes on {{ churn_reason('reasoned.found') }} = found_themes.reason
    left join health on reasoned.customer_id = health.customer_id and reasoned.churned_on = health.churned_on
)

select * from final
