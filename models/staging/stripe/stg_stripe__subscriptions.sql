with landed as (
    {{ record_versions('stripe', 'subscriptions') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select
        landed.id as subscription_id,
        landed.customer_id,
        {{ clean_text('landed.metadata_account_id') }} as account_id,
        {{ clean_code('landed.status') }} as status,
        upper({{ clean_text('landed.currency') }}) as currency,
        {{ clean_code('landed.collection_method') }} as collection_method,
        coalesce(landed.start_date, landed.created) as started_at,
        landed.trial_start as trial_started_at,
        landed.trial_end as trial_ends_at,
        landed.current_period_start,
        landed.current_period_end,
        landed.cancel_at,
        coalesce(landed.cancel_at_period_end, false) as is_cancelled_at_period_end,
        landed.canceled_at as cancel_requested_at,
        landed.ended_at,
        {{ clean_code('landed.cancellation_reason') }} as cancellation_reason,
        {{ clean_code('landed.cancellation_feedback') }} as cancellation_feedback,
        {{ clean_text('landed.cancellation_comment') }} as cancellation_comment,
        landed.pause_behavior is not null or landed.status = 'paused' as is_paused,
        landed.pause_resumes_at,
        landed.discount_coupon_id as coupon_id,
        landed.discount_percent_off as discount_percent,
        {{ from_minor_units('landed.discount_amount_off') }} as discount_amount,
        {{ clean_code('landed.discount_duration') }} as discount_duration,
        landed.discount_start as discount_starts_at,
        landed.discount_end as discount_ends_at,
        landed.latest_invoice_id,
        landed.created as created_at,
        landed.updated as updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
    left join currencies on upper(trim(landed.currency)) = currencies.currency
)

select * from final
