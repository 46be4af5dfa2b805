select
    day,
    route,
    criterion,
    criterion_version,
    definition_json,
    since,
    author,
    reason
from {{ source('lake', 'criteria') }}
