select * from {{ ref('fct_lifecycle_transitions') }} where is_impossible
