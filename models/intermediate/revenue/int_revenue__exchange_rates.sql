with rates as (
    select * from {{ ref('exchange_rates') }}
),

rules as (
    select * from {{ ref('int_revenue__rules') }}
),

dated as (
    select
        rates.currency,
        rates.valid_from,
        cast(rates.rate_to_usd as double) as rate_to_usd,
        least(
            lead(rates.valid_from) over (partition by rates.currency order by rates.valid_from),
            cast({{ dbt.dateadd('day', 'rules.exchange_rate_max_age_days', 'rates.valid_from') }} as date)
        ) as valid_to
    from rates
    cross join rules
),

-- Each currency against the reporting currency, on every day that both have a rate.
crossed as (
    select
        dated.currency,
        greatest(dated.valid_from, reporting.valid_from) as valid_from,
        least(dated.valid_to, reporting.valid_to) as valid_to,
        cast(dated.rate_to_usd / nullif(reporting.rate_to_usd, 0) as decimal(18,10)) as exchange_rate
    from dated
    inner join dated as reporting
        on reporting.currency = '{{ var("reporting_currency") }}'
            and dated.valid_from < reporting.valid_to
            and reporting.valid_from < dated.valid_to
    where dated.currency <> '{{ var("reporting_currency") }}'
),

-- The reporting currency needs no rate.
final as (
    select currency, valid_from, valid_to, exchange_rate
    from crossed
    union all
    select
        '{{ var("reporting_currency") }}' as currency,
        cast('0001-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast(1 as decimal(18,10)) as exchange_rate
)

select * from final
