with landed as (
    {{ record_versions('own', 'opportunities') }}
),

final as (
    select
        landed.opportunity_id,
        {{ clean_text('landed.account_id') }} as account_id,
        {{ clean_code('landed.kind') }} as kind,
        {{ clean_code('landed.stage') }} as stage,
        cast(landed.amount as decimal(18,4)) as amount,
        upper({{ clean_text('landed.currency') }}) as currency,
        landed.created_at,
        landed.closed_at,
        landed.is_won,
        {{ clean_text('landed.loss_reason') }} as loss_reason,
        landed.updated_at,
        landed.source_relation,
        landed.known_from,
        landed.known_until,
        landed.is_current,
        landed.is_deleted,
        landed.is_late
    from landed
)

select * from final
