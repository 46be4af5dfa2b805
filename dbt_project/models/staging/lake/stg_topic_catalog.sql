select
    day,
    route,
    side,
    topic_id,
    topic_version,
    label,
    terms,
    example_call_ids,
    radius,
    n as n_found_in,
    first_day
from {{ source('lake', 'topic_catalog') }}
