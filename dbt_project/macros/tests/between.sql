{#
  The column lies between two numbers, both included; without `high` there is no upper end. NULL is not_null's. For seeds of rules: a slip
  of the hand (-5, 50 for 50 %) would be computed with.
#}
{% test between(model, column_name, low, high=none) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ low }}{% if high is not none %} or {{ column_name }} > {{ high }}{% endif %}
{% endtest %}
