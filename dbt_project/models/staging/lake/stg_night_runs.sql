select
    day,
    run,
    stage,
    position,
    started_at,
    seconds,
    rows as rows_written,
    bytes as bytes_written,
    cost_usd,
    peak_memory_bytes,
    state
from {{ source('lake', 'night_runs') }}
