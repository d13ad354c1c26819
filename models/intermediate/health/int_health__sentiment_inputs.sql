with customer_days as (
    select * from {{ ref('int_health__customer_days') }}
),

nodes as (
    select * from {{ ref('int_identities__nodes') }}
),

-- One respondent's newer answer of the same kind for the same customer replaces the older one, for good: also when the older one is tagged
-- later, or one between them arrives late. Any answer counts for a limited time; one off its scale neither counts nor replaces (as in
-- int_voice__answers).
answers as (
    select
        nodes.customer_id,
        responses.kind,
        cast(responses.score as decimal(9,2)) as score,
        greatest({{ reporting_date('responses.responded_at') }}, responses.known_from) as valid_from,
        {{ reporting_date('responses.responded_at') }} + case when responses.kind = 'csat' then 90 else 180 end as expires_on,
        responses.known_until,
        min(greatest({{ reporting_date('responses.responded_at') }}, responses.known_from)) over (
            partition by responses.source_relation, nodes.customer_id, responses.kind, coalesce(responses.email, responses.account_id)
            order by responses.responded_at, responses.response_id, responses.known_from rows between 1 following and unbounded following
        ) as replaced_on
    from {{ ref('int_surveys__responses') }} as responses
    inner join nodes
        on
            nodes.domain = 'surveys'
            and responses.source_relation = nodes.source_relation
            and coalesce(responses.account_id, responses.email) = nodes.source_id
    where
        (responses.kind = 'nps' and responses.score between 0 and 10)
        or (responses.kind = 'csat' and responses.score between 1 and 5)
        or (responses.kind = 'ces' and responses.score between 1 and 7)
),

-- A rating says something about whoever the ticket belonged to on the day.
ratings as (
    select
        customers.customer_id,
        'csat' as kind,
        cast(ratings.score as decimal(9,2)) as score,
        greatest({{ reporting_date('ratings.rated_at') }}, ratings.known_from, customers.known_from) as valid_from,
        {{ reporting_date('ratings.rated_at') }} + 90 as expires_on,
        least(ratings.known_until, customers.known_until) as known_until,
        cast(null as date) as replaced_on
    from {{ ref('int_support__satisfaction') }} as ratings
    inner join {{ ref('int_support_tickets__customers') }} as customers
        on ratings.source_relation = customers.source_relation and ratings.ticket_id = customers.ticket_id
),

opinions as (
    select * from answers
    union all
    select * from ratings
),

final as (
    select
        customer_days.customer_id,
        customer_days.as_of_date,
        {%- for kind in ['nps', 'csat', 'ces'] %}
        {%- set opinion = "case when opinions.kind = '" ~ kind ~ "' then opinions.score end" %}
        {{ to_money('cast(sum(' ~ opinion ~ ') as double) / nullif(count(' ~ opinion ~ '), 0)') }} as {{ kind }}_mean{{ ',' if not loop.last }}
        {%- endfor %}
    from customer_days
    inner join opinions
        on
            customer_days.customer_id = opinions.customer_id
            and customer_days.as_of_date >= opinions.valid_from
            and customer_days.as_of_date < least(opinions.expires_on, opinions.known_until, opinions.replaced_on)
    group by customer_days.customer_id, customer_days.as_of_date
)

select * from final
