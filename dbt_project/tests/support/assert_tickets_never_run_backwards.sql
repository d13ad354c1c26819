-- No time is negative, business time never exceeds calendar time, and what is flagged is not measured.
select *
from {{ ref('fct_tickets') }}
where
    first_reply_minutes < 0
    or resolution_minutes < 0
    or first_reply_business_minutes not between 0 and first_reply_minutes
    or resolution_business_minutes not between 0 and resolution_minutes
    or (data_flag = 'closed_before_opened' and resolution_minutes is not null)
    or (data_flag = 'replied_before_opened' and first_reply_minutes is not null)
