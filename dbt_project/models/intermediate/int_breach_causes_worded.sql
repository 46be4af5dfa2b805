with causes as (
    select * from {{ ref('int_breach_causes') }}
),

catalog as (
    select * from {{ ref('stg_topic_catalog') }}
    where side = 'input'
)

select
    causes.day,
    causes.route,
    causes.side,
    causes.feature,
    case when causes.is_new then ' It coincides with ' else ' It comes from ' end
    || case causes.dimension
        when 'model_served' then 'model ' || causes.member
        when 'prompt_version' then 'prompt version ' || causes.member
        when 'topic' then 'topic ' || coalesce(catalog.label, causes.member)
        else causes.dimension || ' ' || causes.member
    end
    || case when causes.is_new then ', which is new and has ' else ', which has ' end
    || {{ percent('causes.share') }} || ' of the calls.' as cause
from causes
left join catalog
    on
        causes.dimension = 'topic'
        and causes.day = catalog.day
        and causes.route = catalog.route
        and causes.member = catalog.topic_id
