-- Each row of seed health_overrides says what, who, why and until when, and no two hold for one customer on the same day; `problem` says
-- what is wrong with it.
with overrides as (
    select * from {{ ref('health_overrides') }}
),

judged as (
    select
        overrides.customer_id,
        overrides.set_on,
        overrides.expires_on,
        case
            when overrides.customer_id is null or overrides.customer_id <> trim(overrides.customer_id) then 'no customer_id, or spaces around it'
            when overrides.set_on is null then 'no set_on'
            when overrides.expires_on is null then 'no expires_on: no override holds for ever'
            when overrides.expires_on <= overrides.set_on then 'expires_on is not after set_on'
            when overrides.band is null and overrides.outlook is null then 'neither band nor outlook'
            when overrides.band is not null and bands.band is null then 'a band that is not in health_bands'
            when overrides.outlook not in ('grow', 'renew', 'at_risk', 'churn_likely', 'dormant') then 'an outlook that there is not'
            when overrides.author is null or overrides.author not like '%_@_%' then 'the author is not an e-mail address'
            when overrides.reason is null or trim(overrides.reason) = '' then 'no reason'
            when overrides.reason like '%_@_%' then 'the reason holds an e-mail address'
            when later.customer_id is not null then 'another override of the customer begins before it expires'
        end as problem
    from overrides
    left join {{ ref('health_bands') }} as bands on overrides.band = bands.band
    left join overrides as later
        on
            overrides.customer_id = later.customer_id
            and overrides.set_on < later.set_on
            and overrides.expires_on > later.set_on
)

select * from judged where problem is not null
