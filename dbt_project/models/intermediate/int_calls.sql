with interactions as (
    select * from {{ ref('stg_interactions') }}
)

select
    day,
    call_id,
    coalesce(nullif(route, ''), 'default') as route,
    -- `*` stands for all of them in the marts; a log that has it as a name must not mean that. An empty name is none.
    {% for name, missing in [('model_served', 'unknown'), ('prompt_version', 'none'), ('release', 'none')] -%}
        case {{ name }} when '*' then '(*)' else coalesce(nullif({{ name }}, ''), '{{ missing }}') end as {{ name }},
    {% endfor -%}
    -- Calls of one user are alike: they are one draw, not many. Without a user a session is the next best, and so on.
    {{ hash_of("coalesce(nullif(user_key, ''), nullif(session_id, ''), nullif(trace_id, ''), call_id)") }}
        as cluster_key,
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
