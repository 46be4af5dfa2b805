with versions as (
    select * from {{ ref('stg_criteria') }}
),

ranked as (
    select
        *,
        row_number() over (partition by route, criterion order by since desc, day desc) as place
    from versions
)

select
    route,
    criterion,
    criterion_version,
    definition_json,
    since,
    author,
    reason
from ranked
where place = 1
