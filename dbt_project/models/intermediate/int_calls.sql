with interactions as (
    select * from {{ ref('stg_interactions') }}
)

select
    day,
    call_id,
    coalesce(route, 'default') as route,
    -- `*` stands for all of them in the marts; a log that has it as a name must not mean that.
    case model_served when '*' then '(*)' else coalesce(model_served, 'unknown') end as model_served,
    case prompt_version when '*' then '(*)' else coalesce(prompt_version, 'none') end as prompt_version,
    case release when '*' then '(*)' else coalesce(release, 'none') end as release,
    -- Calls of one user are alike: they are one draw, not many. Without a user a session is the next best, and so on.
    {{ hash_of('coalesce(user_key, session_id, trace_id, call_id)') }} as cluster_key,
    params_json,
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
