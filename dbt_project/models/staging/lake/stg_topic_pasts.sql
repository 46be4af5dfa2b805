select
    day,
    route,
    topic_id,
    topic_version,
    {{ topic_series() }} as topic_series,
    past_day,
    total,
    cluster_squares,
    cluster_cross
from {{ source('lake', 'topic_pasts') }}
