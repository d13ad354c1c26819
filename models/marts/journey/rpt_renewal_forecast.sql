-- Renewals by the month in which they are due. Past months show what the same judgement, made 30 days before, was worth.
with renewals as (
    select
        *,
        cast(date_trunc('month', renews_on) as date) as month
    from {{ ref('fct_renewals') }}
),

final as (
    select
        month,
        cast(coalesce(category, 'not_judged') as string) as category,
        count(*) as renewals,
        cast(sum(arr_reporting_amount) as decimal(18,4)) as arr_reporting_amount,
        {{ to_money('sum(cast(probability as double) * cast(arr_reporting_amount as double))') }} as expected_arr_reporting_amount,
        count(case when is_quote_overdue then 1 end) as quotes_overdue,
        count(case when outcome = 'open' then 1 end) as open_renewals,
        cast(sum(case when outcome = 'open' then arr_reporting_amount else 0 end) as decimal(18,4)) as open_arr_reporting_amount,
        count(case when outcome in ('renewed', 'expanded', 'reduced') then 1 end) as kept_renewals,
        count(case when outcome = 'lost' then 1 end) as lost_renewals,
        cast(coalesce(sum(renewed_arr_reporting_amount), 0) as decimal(18,4)) as renewed_arr_reporting_amount,
        {{ to_money(
            "cast(count(case when outcome in ('renewed', 'expanded', 'reduced') then 1 end) as double)"
            ~ " / nullif(count(case when outcome <> 'open' then 1 end), 0)"
        ) }} as renewal_rate,
        {{ to_money(
            "cast(sum(case when outcome <> 'open' then least(renewed_arr_reporting_amount, arr_reporting_amount) end) as double)"
            ~ " / nullif(cast(sum(case when outcome <> 'open' then arr_reporting_amount end) as double), 0)"
        ) }} as gross_arr_renewal_rate,
        cast('{{ var("run_id") }}' as string) as run_id
    from renewals
    group by month, coalesce(category, 'not_judged')
)

select * from final
