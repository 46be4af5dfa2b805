with interactions as (
    select * from {{ ref('stg_interactions') }}
)

select
    day,
    call_id,
    coalesce(nullif(route, ''), 'default') as route,
    -- `*` means all in the marts, so a name `*` in a log must be changed. An empty name counts as missing.
    {% for name, missing in [('model_served', 'unknown'), ('prompt_version', 'none'), ('release', 'none')] -%}
        case {{ name }} when '*' then '(*)' else coalesce(nullif({{ name }}, ''), '{{ missing }}') end as {{ name }},
    {% endfor -%}
    -- Calls of one user are alike and count as one cluster. Without a user the session is used, and so on.
    {{ hash_of("coalesce(nullif(user_key, ''), nullif(session_id, ''), nullif(trace_id, ''), call_id)") }}
        as cluster_key,
    nullif(user_key, '') as user_key,
    nullif(session_id, '') as session_id,
    nullif(trace_id, '') as trace_id,
    params_json,
    messages_json,
    input_text,
    output_text,
    output_json,
    finish_reason,
    input_tokens,
    output_tokens,
    cost_usd,
    latency_ms,
    coalesce(is_cache_hit, false) as is_cache_hit,
    coalesce(status <> 'success', false) as is_error,
    error_type,
    error_message,
    started_at,
    case when status <> 'success' then {{ member_name('error_type') }} end as error_class
from interactions
where not coalesce(is_shadow, false)
