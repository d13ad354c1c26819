{# The components of health and their measures. Seed health_thresholds says how each becomes points (a test holds the two together). #}
{% macro health_components() %}
    {{ return({
        'usage': ['active_days_28d', 'stickiness', 'use_trend', 'days_since_use'],
        'adoption': ['seat_use', 'feature_breadth', 'core_feature_share'],
        'engagement': ['touch_ratio', 'sponsor_active'],
        'outcomes': ['goal_pace', 'onboarding_steps'],
        'sentiment': ['nps_mean', 'csat_mean', 'ces_mean'],
        'support': ['open_escalations', 'oldest_ticket_days', 'urgent_tickets'],
        'commercial': ['days_past_due', 'failed_payments_90d', 'growth_180d', 'tenure_days'],
    }) }}
{% endmacro %}

{#
  Weighted mean of whole hundredths, rounded half up to a whole hundredth; NULL when nothing has data. `pairs` is a list of [points, weight]
  expressions; a pair whose points are NULL is left out. All integers, so both engines and any order of summation agree to the last digit.
#}
{% macro weighted_mean(pairs) -%}
    {%- set weights -%}
        (0{% for points, weight in pairs %} + case when {{ points }} is null then 0 else {{ weight }} end{% endfor %})
    {%- endset -%}
    cast(floor(
        cast(2 * (0{% for points, weight in pairs %} + coalesce({{ points }} * {{ weight }}, 0){% endfor %}) + {{ weights }} as double)
        / nullif(2 * {{ weights }}, 0)
    ) as bigint)
{%- endmacro %}

{# Weighted mean of the components with the weights of row `today`; in `points`, `component` stands for the name of each. #}
{% macro mean_of_components(points) -%}
    {%- set pairs = [] -%}
    {%- for component in health_components() -%}
        {%- do pairs.append([points.replace('component_', component ~ '_'), 'today.' ~ component ~ '_weight']) -%}
    {%- endfor -%}
    {{ weighted_mean(pairs) }}
{%- endmacro %}

{#
  Whether a day of health is still kept, and `more_days` longer: var health_history_days counts back from as_of_date, 0 = for ever.
#}
{% macro health_is_kept(day, more_days=0) -%}
    {% if var('health_history_days') %}{{ day }} > {{ as_of_date() }} - {{ var('health_history_days') + more_days }}{% else %}true{% endif %}
{%- endmacro %}

{#
  A query: what a published daily table takes from int_health__daily in this run. The days of the run, and all days that are kept of customers
  of whom the table holds nothing: new ones, and those that a hook has just forgotten. A table that is built anew takes everything.
#}
{% macro health_days_to_publish() -%}
    select days.*
    from {{ ref('int_health__daily') }} as days
    {%- if is_incremental() %}
    left join (select customer_id from {{ this }} group by customer_id) as kept on days.customer_id = kept.customer_id
    where (days.as_of_date between {{ start_date() }} and {{ end_date() }} or kept.customer_id is null)
        and {{ health_is_kept('days.as_of_date') }}
    {%- else %}
    where {{ health_is_kept('days.as_of_date') }}
    {%- endif %}
{%- endmacro %}

{#
  Take out of a daily health table what this run computes again: the run's days, days of customers whose identities changed or who are
  no more, and days past the retention. `incoming`, if given, are the rows about to be inserted. Runs before the insert, in its transaction.
#}
{% macro forget_health_days(relation, more_days=0, incoming=none) -%}
    delete from {{ relation }}
    where as_of_date between {{ start_date() }} and {{ end_date() }}
        or not {{ health_is_kept('as_of_date', more_days) }}
        or not exists (
            select 1 from {{ ref('int_identities__customers') }} as customers
            where customers.customer_id = {{ relation }}.customer_id
                and customers.identity_fingerprint = {{ relation }}.identity_fingerprint
        )
        {%- if incoming is not none %}
        or exists (
            select 1 from {{ incoming }} as incoming
            where incoming.customer_id = {{ relation }}.customer_id and incoming.as_of_date = {{ relation }}.as_of_date
        )
        {%- endif %}
{%- endmacro %}

{# What is published of seed health_overrides: column → expression over a row `overrides`. #}
{% macro health_override_columns() %}
    {{ return({
        'override_band': 'overrides.band',
        'override_outlook': 'overrides.outlook',
        'override_reason': 'overrides.reason',
        'override_author_hash': keyed_hash(clean_code('overrides.author')),
        'override_set_on': 'overrides.set_on',
        'override_expires_on': 'overrides.expires_on',
    }) }}
{% endmacro %}

{#
  Take out of the published daily health all days of customers of whom it shows another override than seed health_overrides now says. The insert
  then takes them from the store as if they were new, so that an edited seed reaches past days without computing a score again.
#}
{% macro forget_changed_overrides(relation) -%}
    delete from {{ relation }}
    where customer_id in (
        select kept.customer_id
        from {{ relation }} as kept
        left join {{ ref('health_overrides') }} as overrides
            on kept.customer_id = overrides.customer_id
            and kept.as_of_date >= overrides.set_on
            and kept.as_of_date < overrides.expires_on
        where
            {%- for column, said in health_override_columns().items() %}
            kept.{{ column }} is distinct from {{ said }}{{ ' or' if not loop.last }}
            {%- endfor %}
    )
{%- endmacro %}
