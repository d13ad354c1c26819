with tickets as (
    select * from {{ ref('int_support__tickets') }} where is_current and tags is not null
),

categories as (
    select * from {{ ref('ticket_categories') }}
),

-- Whichever way the help desk separates its tags, here they stand between commas.
tagged as (
    select
        source_relation,
        ticket_id,
        concat(',', translate(lower(tags), ' ;|[]"', ',,,,,,'), ',') as tags
    from tickets
),

matched as (
    select
        tagged.source_relation,
        tagged.ticket_id,
        categories.category,
        row_number() over (
            partition by tagged.source_relation, tagged.ticket_id order by categories.precedence, categories.tag
        ) as place
    from tagged
    inner join categories on position(concat(',', lower(categories.tag), ',') in tagged.tags) > 0
),

final as (
    select
        source_relation,
        ticket_id,
        category
    from matched
    where place = 1
)

select * from final
