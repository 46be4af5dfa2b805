with causes as (
    select * from {{ ref('int_breach_causes') }}
),

catalog as (
    select * from {{ ref('stg_topic_catalog') }}
    where side = 'input'
),

named as (
    select
        causes.*,
        case causes.dimension
            when 'model_served' then 'model ' || causes.member
            when 'prompt_version' then 'prompt version ' || causes.member
            when 'criterion_version' then 'criterion version ' || causes.member
            when 'topic' then 'topic "' || coalesce(catalog.label, causes.member) || '"'
            else causes.dimension || ' ' || causes.member
        end as cause
    from causes
    left join catalog
        on
            causes.dimension = 'topic'
            and causes.day = catalog.day
            and causes.route = catalog.route
            and causes.member = catalog.topic_series
)

select
    day,
    route,
    side,
    feature,
    dimension,
    member,
    share,
    part,
    is_new,
    cause,
    {{ cause_words() }} as sentence
from named
