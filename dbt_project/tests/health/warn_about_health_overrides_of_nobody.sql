{{ config(severity='warn') }}
-- An override that still holds, or will, for a customer that there never was: a typing error, or the record is gone. It is shown nowhere.
select overrides.customer_id, overrides.set_on, overrides.expires_on
from {{ ref('health_overrides') }} as overrides
left join {{ ref('int_identities__nodes') }} as nodes on overrides.customer_id = nodes.own_customer_id
where nodes.customer_id is null and overrides.expires_on > {{ as_of_date() }}
