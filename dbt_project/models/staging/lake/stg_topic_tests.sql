select
    day,
    route,
    side,
    test,
    topic_id,
    label,
    n,
    n_current,
    statistic,
    p_value,
    example_call_ids
from {{ source('lake', 'topic_tests') }}
