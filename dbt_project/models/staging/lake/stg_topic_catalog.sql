select
    day,
    route,
    side,
    topic_id,
    topic_version,
    {{ topic_series() }} as topic_series,
    label,
    terms,
    example_call_ids,
    radius,
    n as n_found_in,
    first_day,
    added_day,
    fitted_day,
    fitted_texts
from {{ source('lake', 'topic_catalog') }}
