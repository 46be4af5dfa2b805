select
    day,
    set as example_set,
    route,
    example_id,
    version as set_version,
    input_text,
    expected_json,
    expected_text
from {{ source('lake', 'examples') }}
