{#
  The Net Promoter Score of counted answers, and its 95 % interval: Wald's, after adding three answers that say nothing (3/4 of a promoter, 3/2
  passive, 3/4 of a detractor; Rocks 2016, "adjusted Wald"). Unlike the plain interval it has a width even when all answers agree. Of one
  or two answers it may miss the score itself: it is widened to hold it.
  Arguments are expressions of counts, never NULL; `end` is low or high. NPS and bounds are -100 to 100; NULL without an answer.
#}
{% macro nps(promoters, detractors, answers) -%}
    {{ to_money('100 * (cast(' ~ promoters ~ ' as double) - ' ~ detractors ~ ') / nullif(' ~ answers ~ ', 0)') }}
{%- endmacro %}

{% macro nps_bound(end, promoters, detractors, answers) -%}
    case when {{ answers }} > 0 then {{ to_money(
        ('greatest' if end == 'high' else 'least') ~ '(100 * (cast(' ~ promoters ~ ' as double) - ' ~ detractors ~ ') / nullif(' ~ answers
        ~ ', 0), greatest(-100, least(100, 100 * (' ~ nps_centre(promoters, detractors, answers) ~ (' +' if end == 'high' else ' -')
        ~ ' 1.96e0 * sqrt(' ~ nps_variance(promoters, detractors, answers) ~ ')))))'
    ) }} end
{%- endmacro %}

{# The middle of the interval, -1 to 1: the added answers cancel in the difference. #}
{% macro nps_centre(promoters, detractors, answers) -%}
    ((cast({{ promoters }} as double) - {{ detractors }}) / ({{ answers }} + 3))
{%- endmacro %}

{# The variance of that middle: of an answer that is 1, 0 or -1, divided by their number. #}
{% macro nps_variance(promoters, detractors, answers) -%}
    (((cast({{ promoters }} as double) + {{ detractors }} + 1.5) / ({{ answers }} + 3)
    - {{ nps_centre(promoters, detractors, answers) }} * {{ nps_centre(promoters, detractors, answers) }}) / ({{ answers }} + 3))
{%- endmacro %}
