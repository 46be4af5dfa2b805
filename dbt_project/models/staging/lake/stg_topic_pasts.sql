select
    day,
    route,
    topic_id,
    past_day,
    total,
    cluster_squares,
    cluster_cross
from {{ source('lake', 'topic_pasts') }}
