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
    cost_usd
from {{ source('lake', 'completions') }}
