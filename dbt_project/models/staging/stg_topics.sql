select
    day,
    call_id,
    side,
    origin,
    topic_id
from {{ source('lake', 'topics') }}
