{#
  A float as an amount of money, or any other number with four decimals. What lies on half a unit of the last decimal rounds away from
  zero on both engines: the float itself is a hair above or below it, and each engine sees another side.
#}
{% macro to_money(expression) %}cast({{ expression }} + 0.0000001e0 * sign({{ expression }}) as decimal(18,4)){% endmacro %}
