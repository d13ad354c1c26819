-- Answers to surveys, with whose they are, what they are about, and which of them counts: of one respondent's answers of one kind for one
-- customer the latest of the month that can be true. An answer without an address or an account has a respondent of its own.
with responses as (
    select
        *,
        {{ reporting_date('responded_at') }} as responded_on,
        coalesce(email, account_id, response_id) as respondent
    from {{ ref('int_surveys__responses') }}
    where is_current and {{ happened('responded_at') }} is not null
),

nodes as (
    select * from {{ ref('int_identities__nodes') }} where domain = 'surveys'
),

tiers as (
    select * from {{ ref('int_health__tiers_as_seen') }}
),

themes as (
    select reason, theme from {{ ref('churn_themes') }}
    union all
    select tag, theme from {{ ref('feedback_themes') }}
),

checked as (
    select
        responses.*,
        nodes.customer_id,
        case
            when kind not in ('nps', 'csat', 'ces') then 'unknown_kind'
            when kind = 'nps' and score not between 0 and 10 then 'score_out_of_range'
            when kind = 'csat' and score not between 1 and 5 then 'score_out_of_range'
            when kind = 'ces' and score not between 1 and 7 then 'score_out_of_range'
        end as data_flag
    from responses
    left join nodes
        on responses.source_relation = nodes.source_relation and coalesce(responses.account_id, responses.email) = nodes.source_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                source_relation, kind, respondent, customer_id, date_trunc('month', responded_on), case when data_flag is null then 0 else 1 end
            order by responded_at desc, response_id desc
        ) as place
    from checked
),

final as (
    select
        ranked.source_relation,
        ranked.response_id,
        ranked.customer_id,
        tiers.tier,
        ranked.email,
        ranked.respondent,
        ranked.kind,
        ranked.score,
        ranked.responded_at,
        ranked.responded_on,
        case when ranked.theme is not null then coalesce(themes.theme, 'other') end as theme,
        ranked.comment is not null as has_comment,
        ranked.data_flag,
        ranked.place = 1 and ranked.data_flag is null as is_counted
    from ranked
    left join tiers
        on
            ranked.customer_id = tiers.customer_id
            and ranked.responded_on >= tiers.valid_from
            and (ranked.responded_on < tiers.valid_to or tiers.valid_to is null)
    left join themes on {{ churn_reason('ranked.theme') }} = themes.reason
)

select * from final
