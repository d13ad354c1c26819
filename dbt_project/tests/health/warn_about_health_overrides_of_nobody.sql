{{ config(severity='warn') }}
-- An override that still holds, or will, for a customer that there is not: a typing error, or one that was merged into another. It is shown
-- nowhere; a merge by night must not hold the publication back.
select overrides.customer_id, overrides.set_on, overrides.expires_on
from {{ ref('health_overrides') }} as overrides
left join {{ ref('int_identities__customers') }} as customers on overrides.customer_id = customers.customer_id
where customers.customer_id is null and overrides.expires_on > {{ as_of_date() }}
