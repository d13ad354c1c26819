{%- set this_month = "segment_kind = 'all' and month = cast(date_trunc('month', " ~ as_of_date() ~ ") as date)" -%}
{#- What is counted: by the report, and by the facts that it is made of. -#}
{%- set counted = {
    'tickets opened': [('sum(tickets_opened)', 'rpt_support_monthly', 'true'), ('count(*)', 'fct_tickets', 'true')],
    'renewals': [('sum(renewals)', 'rpt_renewal_forecast', 'true'), ('count(*)', 'fct_renewals', 'true')],
    'ARR to renew': [('sum(arr_reporting_amount)', 'rpt_renewal_forecast', 'true'), ('sum(arr_reporting_amount)', 'fct_renewals', 'true')],
    'ARR renewed': [
        ('sum(renewed_arr_reporting_amount)', 'rpt_renewal_forecast', 'true'), ('sum(renewed_arr_reporting_amount)', 'fct_renewals', 'true')
    ],
    'win-back targets': [('sum(targets)', 'rpt_winback_campaigns', 'true'), ('count(*)', 'fct_winback', 'true')],
    'customers that ever paid': [
        ('sum(customers)', 'rpt_cohort_retention', 'months_since = 0'), ('count(first_paid_on)', 'dim_customers', 'true')
    ],
    'onboardings': [('count(*)', 'fct_onboarding', 'true'), ('count(first_paid_on)', 'dim_customers', 'true')],
    'MRR today': [
        ('sum(closing_mrr)', 'rpt_revenue_retention_monthly', this_month), ('sum(mrr_reporting_amount)', 'dim_customers', 'true')
    ],
} -%}
{%- for kind in ['nps', 'csat', 'ces'] %}
{%- for segments in ['all', 'tier'] %}
{%- do counted.update({kind ~ ' answers, ' ~ segments: [
    ('sum(' ~ kind ~ '_answers)', 'rpt_sentiment_monthly', "segment_kind = '" ~ segments ~ "'"),
    ('count(*)', 'fct_survey_responses', "is_counted and kind = '" ~ kind ~ "'"),
]}) %}
{%- endfor %}
{%- endfor -%}
-- Two published tables that count the same say the same: nothing falls out of a report on its way from the facts, and nothing is there twice.
with sides as (
    {%- for measure, (report, facts) in counted.items() %}
    select '{{ measure }}' as measure, cast({{ report[0] }} as decimal(38,4)) as reported, cast(null as decimal(38,4)) as counted
    from {{ ref(report[1]) }}
    where {{ report[2] }}
    union all
    select '{{ measure }}', null, cast({{ facts[0] }} as decimal(38,4))
    from {{ ref(facts[1]) }}
    where {{ facts[2] }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select measure, coalesce(sum(reported), 0) as reported, coalesce(sum(counted), 0) as counted
from sides
group by measure
having coalesce(sum(reported), 0) <> coalesce(sum(counted), 0)
