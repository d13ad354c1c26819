-- Of its own will or not: what the billing system says, else a request before the end, else an invoice that was due and unpaid when the
-- revenue stopped (a failed payment), else nothing speaks against its own will.
with endings as (
    select * from {{ ref('int_churn__endings') }}
),

cancellations as (
    select * from {{ ref('int_churn__cancellations') }}
),

unpaid as (
    select * from {{ ref('int_health__unpaid_invoices') }}
    where is_current
),

rules as (
    select max(case when rule = 'ending_window_days' then cast(value as int) end) as window_days
    from {{ ref('churn_rules') }}
),

-- The subscription whose end lies nearest; of several that ended on one day the one that was not paid speaks for all, else who says why,
-- else who was asked to end.
ended as (
    select
        endings.customer_id,
        endings.churned_on,
        cancellations.is_payment_failure,
        coalesce(cancellations.requested_on < cancellations.ended_on, cancellations.requested_on is not null) as is_requested,
        cancellations.stated_reason
    from endings
    inner join cancellations
        on endings.customer_id = cancellations.customer_id
    cross join rules
    where abs({{ dbt.datediff('endings.churned_on', 'cancellations.stops_on', 'day') }}) <= rules.window_days
    qualify row_number() over (
        partition by endings.customer_id, endings.churned_on
        order by
            abs({{ dbt.datediff('endings.churned_on', 'cancellations.stops_on', 'day') }}),
            case when cancellations.is_payment_failure then 0 else 1 end,
            case when cancellations.stated_reason is not null then 0 else 1 end,
            case when cancellations.requested_on < cancellations.ended_on then 0 else 1 end,
            cancellations.source_relation, cancellations.subscription_id
    ) = 1
),

owed as (
    select
        endings.customer_id,
        endings.churned_on
    from endings
    inner join unpaid
        on endings.customer_id = unpaid.customer_id
            and endings.churned_on > unpaid.due_on
            and endings.churned_on <= unpaid.settled_on
    group by endings.customer_id, endings.churned_on
),

judged as (
    select
        endings.customer_id,
        endings.churned_on,
        case
            when ended.is_payment_failure is not null then 'billing_system'
            when ended.is_requested then 'request'
            when owed.customer_id is not null then 'unpaid_invoice'
            else 'nothing_unpaid'
        end as evidence,
        ended.is_payment_failure,
        ended.stated_reason
    from endings
    left join ended
        on endings.customer_id = ended.customer_id
            and endings.churned_on = ended.churned_on
    left join owed
        on endings.customer_id = owed.customer_id
            and endings.churned_on = owed.churned_on
),

final as (
    select
        customer_id,
        churned_on,
        case
            when evidence = 'unpaid_invoice' or is_payment_failure then 'involuntary'
            else 'voluntary'
        end as churn_type,
        evidence,
        stated_reason
    from judged
)

select * from final
