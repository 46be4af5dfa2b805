select
    day,
    run_id,
    model,
    route,
    arm,
    status,
    latency_ms,
    cost_usd
from {{ source('lake', 'completions') }}
