{{ config(severity='warn') }}
-- A decision about a record that there never was: a typing error in its domain, source or id. It changes nothing.
select overrides.domain, overrides.source_relation, overrides.source_id, overrides.decision
from {{ ref('int_identities__overrides') }} as overrides
left join {{ ref('int_identities__records') }} as records
    on
        overrides.domain = records.domain
        and overrides.source_relation = records.source_relation
        and overrides.source_id = records.source_id
where records.source_id is null
