-- Who used the product in a month, with what they thought of us then (the latest NPS answer of each respondent in the 90 days to the
-- month's end) and whether they stayed: paying at the month's end, and still 90 days later.
with used as (
    select
        usage.source_relation,
        nodes.customer_id,
        usage.month,
        least(last_day(usage.month), {{ as_of_date() }}) as closes_on
    from {{ ref('int_voice__feature_months') }} as usage
    inner join {{ ref('int_identities__nodes') }} as nodes
        on nodes.domain = 'product' and usage.source_relation = nodes.source_relation and usage.workspace_id = nodes.source_id
    group by usage.source_relation, nodes.customer_id, usage.month
),

paying as (
    select * from {{ ref('int_lifecycle__paying') }}
),

answers as (
    select *
    from {{ ref('int_voice__answers') }}
    where kind = 'nps' and data_flag is null and customer_id is not null
),

opinions as (
    select
        used.source_relation,
        used.customer_id,
        used.month,
        answers.score,
        row_number() over (
            partition by used.source_relation, used.customer_id, used.month, answers.source_relation, answers.respondent
            order by answers.responded_at desc, answers.response_id desc
        ) as place
    from used
    inner join answers
        on
            used.customer_id = answers.customer_id
            and answers.responded_on <= used.closes_on
            and answers.responded_on > used.closes_on + (-90)
),

scores as (
    select
        source_relation,
        customer_id,
        month,
        sum(case when score >= 9 then 1 else 0 end) as promoters,
        sum(case when score < 7 then 1 else 0 end) as detractors,
        count(*) as answers
    from opinions
    where place = 1
    group by source_relation, customer_id, month
),

final as (
    select
        used.source_relation,
        used.customer_id,
        used.month,
        coalesce(scores.promoters, 0) as promoters,
        coalesce(scores.detractors, 0) as detractors,
        coalesce(scores.answers, 0) as answers,
        case when before.customer_id is not null and used.closes_on + 90 <= {{ as_of_date() }} then 1 else 0 end as payers,
        case when before.customer_id is not null and after.customer_id is not null then 1 else 0 end as payers_retained
    from used
    left join scores
        on used.source_relation = scores.source_relation and used.customer_id = scores.customer_id and used.month = scores.month
    left join paying as before
        on used.customer_id = before.customer_id and used.closes_on >= before.valid_from and used.closes_on < before.valid_to
    left join paying as after
        on
            used.customer_id = after.customer_id
            and used.closes_on + 90 <= {{ as_of_date() }}
            and used.closes_on + 90 >= after.valid_from
            and used.closes_on + 90 < after.valid_to
)

select * from final
