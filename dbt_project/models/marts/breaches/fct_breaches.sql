with breaches as (
    select * from {{ ref('int_breaches') }}
),

incidents as (
    select * from {{ ref('int_incidents') }}
    where subject is not null
)

select
    breaches.day,
    breaches.kind,
    breaches.subject,
    breaches.severity,
    breaches.summary || {{ since_words() }} || breaches.explanation || coalesce(' ' || breaches.mute || '.', '')
        as summary,
    breaches.evidence_json,
    incidents.first_seen,
    incidents.nights,
    incidents.incident_id
from breaches
inner join incidents
    on
        breaches.day = incidents.day
        and breaches.kind = incidents.kind
        and breaches.subject = incidents.subject
