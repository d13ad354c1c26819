with answers as (
    select * from {{ ref('int_voice__answers') }}
),

final as (
    select
        cast(response_id as string) as response_id,
        cast(source_relation as string) as source_relation,
        cast(customer_id as string) as customer_id,
        cast({{ keyed_hash('email') }} as string) as respondent_hash,
        cast(kind as string) as kind,
        cast(score as double) as score,
        cast(responded_at as timestamp) as responded_at,
        responded_on,
        cast(tier as string) as tier,
        case
            when data_flag is not null or kind <> 'nps' then cast(null as string)
            when score >= 9 then 'promoter'
            when score >= 7 then 'passive'
            else 'detractor'
        end as nps_group,
        case when data_flag is null and kind = 'csat' then score >= 4 end as is_satisfied,
        cast(theme as string) as theme,
        has_comment,
        is_counted,
        cast(data_flag as string) as data_flag,
        cast('{{ var("run_id") }}' as string) as run_id
    from answers
)

select * from final
