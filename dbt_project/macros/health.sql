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
  What the customer did to its score between the rows `before` and `today`, in hundredths: today's score less what it would be if the components
  that can be compared stood as then. Comparable is a component whose measures are the same on both days; one that gained or lost a measure moves the
  score by what is known, not by what was done.
#}
{% macro behaviour_points() -%}
    {%- set as_then -%}
        case when today.component_measures = before.component_measures then before.component_points else today.component_points end
    {%- endset -%}
    case
        when today.score_points is not null and before.score_points is not null
            then today.score_points - {{ mean_of_components(as_then) }}
    end
{%- endmacro %}

{#
  Whether a day of health is still kept, and `more_days` longer: var health_history_days counts back from as_of_date, 0 = for ever.
#}
{% macro health_is_kept(day, more_days=0) -%}
    {% if var('health_history_days') %}{{ day }} > {{ as_of_date() }} - {{ var('health_history_days') + more_days }}{% else %}true{% endif %}
{%- endmacro %}

{#
  Which records were taken to be each customer when a daily health table was computed: customer → fingerprint, in a table of its own in schema
  main, where the pipeline keeps its books. In the days themselves it would change all history of a customer that has got one more record, in
  every table and every published version. NULL: the customer's days are to be taken in anew. Only incremental tables have one.
#}
{% macro identities_of(relation) -%}
    {{ return(relation.incorporate(path={'schema': 'main', 'identifier': relation.identifier ~ '__identities'}, type='table')) }}
{%- endmacro %}

{# Statement of a post-hook: the days that stand in the table now are of the customers as they are now. #}
{% macro remember_identities(relation) -%}
    {%- if target.type == 'duckdb' -%}
        create or replace table {{ identities_of(relation) }} as select customer_id, identity_fingerprint from {{ ref('int_identities__customers') }}
    {%- endif -%}
{%- endmacro %}

{# A query: customers all of whose days `relation` takes in anew, since they are new or were just forgotten. #}
{% macro customers_to_take_in(relation) -%}
    select customers.customer_id
    from {{ ref('int_identities__customers') }} as customers
    left join {{ identities_of(relation) }} as known on customers.customer_id = known.customer_id
    where known.identity_fingerprint is null
{%- endmacro %}

{#
  A query: what a published daily table takes from int_health__daily in this run. The days of the run, and all days that are kept of customers
  to take in. A table that is built anew takes everything.
#}
{% macro health_days_to_publish() -%}
    select days.*
    from {{ ref('int_health__daily') }} as days
    where {{ health_is_kept('days.as_of_date') }}
    {%- if is_incremental() %}
        and days.as_of_date between {{ start_date() }} and {{ end_date() }}
    union all
    select days.*
    from {{ ref('int_health__daily') }} as days
    where {{ health_is_kept('days.as_of_date') }}
        and days.as_of_date not between {{ start_date() }} and {{ end_date() }}
        and days.customer_id in ({{ customers_to_take_in(this) }})
    {%- endif %}
{%- endmacro %}

{# A query: the days with which those of health_days_to_publish are compared, `days_ago` before them. #}
{% macro health_days_before(days_ago) -%}
    select days.*
    from {{ ref('int_health__daily') }} as days
    {%- if is_incremental() %}
    where days.as_of_date between {{ start_date() }} - {{ days_ago }} and {{ end_date() }} - {{ days_ago }}
    union all
    select days.*
    from {{ ref('int_health__daily') }} as days
    where days.as_of_date not between {{ start_date() }} - {{ days_ago }} and {{ end_date() }} - {{ days_ago }}
        and days.customer_id in ({{ customers_to_take_in(this) }})
    {%- endif %}
{%- endmacro %}

{#
  Statements of a pre-hook: take out of a daily health table what this run computes again. The run's days, days past the retention, and all days of
  customers whose identities changed or who are no more; `also`: a query of further customers; `incoming`: the rows about to be inserted, if an
  earlier run may have made them. One condition a statement: DuckDB then reads only what it may hold for. All days go where nothing says on which
  identities they rest.
#}
{% macro forget_health_days(relation, more_days=0, also=none, incoming=none) -%}
    {%- set known = identities_of(relation) -%}
    {%- if execute and adapter.get_relation(known.database, known.schema, known.identifier) is none %}
    create table {{ known }} (customer_id varchar, identity_fingerprint varchar);
    delete from {{ relation }};
    {%- endif %}
    update {{ known }} set identity_fingerprint = null
    where not exists (
        select 1 from {{ ref('int_identities__customers') }} as customers
        where customers.customer_id = {{ known.identifier }}.customer_id
            and customers.identity_fingerprint = {{ known.identifier }}.identity_fingerprint
    );
    {%- if also is not none %}
    update {{ known }} set identity_fingerprint = null where customer_id in ({{ also }});
    {%- endif %}
    delete from {{ relation }} where as_of_date between {{ start_date() }} and {{ end_date() }};
    delete from {{ relation }} where not ({{ health_is_kept('as_of_date', more_days) }});
    delete from {{ relation }} where customer_id in (select customer_id from {{ known }} where identity_fingerprint is null)
    {%- if incoming is not none %};
    delete from {{ relation }}
    where exists (
        select 1 from {{ incoming }} as incoming
        where incoming.customer_id = {{ relation }}.customer_id
            and incoming.as_of_date = {{ relation }}.as_of_date
            and incoming.as_of_date not between {{ start_date() }} and {{ end_date() }}
            and incoming.customer_id in (select customer_id from {{ known }} where identity_fingerprint is not null)
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
  A query: customers of whom the published daily health shows another override than seed health_overrides now says. Taken in anew from the store,
  an edited seed reaches past days without computing a score again.
#}
{% macro customers_with_changed_overrides(relation) -%}
    select kept.customer_id
    from {{ relation }} as kept
    left join {{ ref('int_health__overrides') }} as overrides
        on kept.customer_id = overrides.customer_id
        and kept.as_of_date >= overrides.set_on
        and kept.as_of_date < overrides.expires_on
    where (kept.override_set_on is not null or kept.customer_id in (select customer_id from {{ ref('int_health__overrides') }}))
        and (
            {%- for column, said in health_override_columns().items() %}
            kept.{{ column }} is distinct from {{ said }}{{ ' or' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro %}
