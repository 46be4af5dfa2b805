with incidents as (
    select * from {{ ref('int_incidents') }}
    where subject is null
),

muted as (
    select
        *,
        {{ mute_words('day', 'incident_id', 'coalesce(cause, cause_kind)') }} as mute
    from incidents
)

select
    day,
    incident_id,
    case when mute is null then severity else 'info' end as severity,
    need,
    title,
    summary || coalesce(' ' || mute || '.', '') as summary,
    cause_kind,
    cause,
    routes,
    first_seen,
    nights,
    state,
    n_breaches,
    evidence_json
from muted
