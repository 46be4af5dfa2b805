select
    day,
    run_id,
    model,
    route,
    example_id,
    repeat,
    arm,
    output_text,
    status,
    latency_ms,
    cost_usd,
    error_class,
    error_type,
    error_message
from {{ source('lake', 'completions') }}
