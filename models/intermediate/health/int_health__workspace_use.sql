{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where as_of_date between {{ start_date() }} and {{ end_date() }}{% endif %}"
) }}
{%- set first_day = start_date() if is_incremental() else "cast('1970-01-01' as date)" %}
{%- set last_day = end_date() if is_incremental() else as_of_date() %}
{%- set measures = 'active_users user_days active_days features core_features unlisted_features events events_prior'.split() %}
{%- set sources, seen = 'source_relation, workspace_id', 'usage_date, seen_from, seen_until' %}
{%- set counts = 'valid_from < valid_to and valid_to > ' ~ first_day %}
-- Use that began to count before the window's 56 days has ceased to count in it: only those rows are read. A row of no events is no use.
with usage as (
    select
        source_relation, workspace_id, user_id, feature, events, usage_date,
        greatest(usage_date, known_from) as seen_from, coalesce(known_until, cast('9999-12-31' as date)) as seen_until
    from {{ ref('int_product__usage_daily') }}
    where usage_date <= {{ last_day }} and usage_date > {{ first_day }} + (-57) and events > 0
),

user_days as (
    select {{ sources }}, user_id, {{ seen }} from usage{% if not is_incremental() %} group by {{ sources }}, user_id, {{ seen }}{% endif %}
),

feature_days as (select {{ sources }}, feature, {{ seen }}, sum(events) as events from usage group by {{ sources }}, feature, {{ seen }}),

active_days as (select {{ sources }}, {{ seen }}, sum(events) as events from feature_days group by {{ sources }}, {{ seen }}),

-- What is counted once however often it appears: it counts from the day it is seen until 28 days after its use.
items as (
    select {{ sources }}, 'active_users_28d' as measure, user_id as item, cast(null as date) as item_on, {{ seen }} from user_days
    union all
    select {{ sources }}, 'user_days_28d', user_id, usage_date, {{ seen }} from user_days
    union all
    select {{ sources }}, 'active_days_28d', null, usage_date, {{ seen }} from active_days
    union all
    select {{ sources }}, 'features_28d', feature, null, {{ seen }} from feature_days
    union all
    select
        used.source_relation, used.workspace_id, coalesce(held.measure, 'unlisted_features_28d'), used.feature, null, used.usage_date,
        greatest(used.seen_from, held.valid_from), least(used.seen_until, held.valid_to)
    from feature_days as used
    left join {{ ref('int_health__feature_listings') }} as held on used.source_relation = held.source_relation and used.feature = held.feature
    where used.source_relation in (select source_relation from {{ ref('int_health__feature_listings') }})
),

-- How far what begins on one day reaches. All that began before the window begins with it: of 28 days of an item hardly more than one is left
-- (of all days at once all are: grouping them would only take memory).
reaching as (
    select
        {{ sources }}, measure, item, item_on, greatest(seen_from, {{ first_day }}) as valid_from,
        {{ 'max' if is_incremental() }}(least(usage_date + 28, seen_until)) as valid_to
    from items where seen_from < least(usage_date + 28, seen_until) and least(usage_date + 28, seen_until) > {{ first_day }}
    {% if is_incremental() %}group by {{ sources }}, measure, item, item_on, greatest(seen_from, {{ first_day }}){% endif %}
),

-- Each row adds only what no earlier row of the same item covers.
uncovered as (
    select
        {{ sources }}, measure, 1 as amount, valid_to, greatest(valid_from, coalesce(max(valid_to) over (
            partition by {{ sources }}, measure, item, item_on order by valid_from rows between unbounded preceding and 1 preceding
        ), valid_from)) as valid_from
    from reaching
),

amounts as (
    select {{ sources }}, measure, amount, valid_from, valid_to from uncovered
    union all
    select {{ sources }}, 'events_28d', events, seen_from, least(usage_date + 28, seen_until) from active_days
    union all
    select {{ sources }}, 'events_prior_28d', events, greatest(usage_date + 28, seen_from), least(usage_date + 56, seen_until) from active_days
),

-- All that began before the first day of the window begins with it; what ends after the last does not end.
changes as (
    select {{ sources }}, greatest(valid_from, {{ first_day }}) as changed_on, measure, amount, null as used_on from amounts where {{ counts }}
    union all
    select {{ sources }}, valid_to, measure, -amount, cast(null as date) from amounts where {{ counts }} and valid_to <= {{ last_day }}
    union all
    select {{ sources }}, greatest(seen_from, {{ first_day }}), 'use', 0, usage_date from active_days where seen_until > {{ last_day }}
),

daily_changes as (
    select {{ sources }}, changed_on, max(used_on) as used_on
        {%- for measure in measures %}, sum(case when measure = '{{ measure }}_28d' then amount else 0 end) as {{ measure }}_28d{% endfor %}
    from changes group by {{ sources }}, changed_on
),

states as (
    select
        {{ sources }}, changed_on as valid_from,
        coalesce(lead(changed_on) over (partition by {{ sources }} order by changed_on), cast('9999-12-31' as date)) as valid_to,
        max(used_on) over (partition by {{ sources }} order by changed_on) as last_used_on
        {%- for measure in measures %}, sum({{ measure }}_28d) over (partition by {{ sources }} order by changed_on) as {{ measure }}_28d{% endfor %}
    from daily_changes
),

days as (
    select {{ last_day }} - cast(numbers.n as int) as as_of_date from range(0, 20000) as numbers (n)
    where {{ last_day }} - cast(numbers.n as int) >= {{ first_day }}
),

-- Use that is corrected or taken back by the last day counts as the last only on the days on which it was known.
revised as (
    select {{ sources }}, days.as_of_date, max(usage_date) as last_used_on
    from active_days
    inner join days on days.as_of_date >= seen_from and days.as_of_date < least(usage_date + 56, seen_until)
    where seen_until <= {{ last_day }} group by {{ sources }}, days.as_of_date
),

final as (
    select
        states.source_relation, states.workspace_id, days.as_of_date, greatest(states.last_used_on, revised.last_used_on) as last_used_on
        {%- for measure in measures %}, cast(states.{{ measure }}_28d as bigint) as {{ measure }}_28d{% endfor %}
    from states
    inner join days on days.as_of_date >= states.valid_from and days.as_of_date < states.valid_to
    left join revised
        on states.source_relation = revised.source_relation and states.workspace_id = revised.workspace_id and days.as_of_date = revised.as_of_date
    where states.active_days_28d > 0 or states.events_prior_28d > 0
)

select * from final
