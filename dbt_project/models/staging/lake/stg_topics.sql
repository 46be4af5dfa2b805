select
    day,
    call_id as subject_id,
    side,
    origin,
    route,
    topic_id,
    topic_version,
    {{ topic_series() }} as topic_series,
    distance,
    is_novel
from {{ source('lake', 'topics') }}
