select
    day,
    call_id,
    route,
    source,
    model_served,
    prompt_version,
    input_text,
    output_text,
    finish_reason,
    status,
    input_tokens,
    output_tokens,
    cost_usd,
    latency_ms,
    cache_hit as is_cache_hit,
    is_shadow
from {{ source('lake', 'interactions') }}
