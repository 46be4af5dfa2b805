with interactions as (
    select * from {{ ref('stg_interactions') }}
)

select
    day,
    call_id,
    coalesce(route, 'default') as route,
    coalesce(model_served, 'unknown') as model_served,
    coalesce(prompt_version, 'none') as prompt_version,
    input_text,
    output_text,
    finish_reason,
    input_tokens,
    output_tokens,
    cost_usd,
    latency_ms,
    coalesce(is_cache_hit, false) as is_cache_hit,
    coalesce(status <> 'success', false) as is_error
from interactions
where not coalesce(is_shadow, false)
