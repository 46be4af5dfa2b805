-- OpenAI chat completions: {"request": ..., "response": ...} pairs, lines of a batch's output file, and stored
-- completions. A pair may carry its own started_at, latency_ms, route, session_id and tags beside the two.
with parsed as (
    select
        file,
        line,
        raw,
        from_json(
            raw,
            '{
                "request": "JSON", "response": "JSON", "custom_id": "VARCHAR", "object": "VARCHAR",
                "error": "JSON", "started_at": "VARCHAR", "latency_ms": "VARCHAR", "route": "VARCHAR",
                "session_id": "VARCHAR", "prompt_version": "VARCHAR", "tags": "JSON"
            }'
        ) as log
    from records
),

paired as (
    select
        file,
        line,
        log,
        coalesce(log.response ->> '$.body.error.message', log.error ->> 'message', log.response ->> '$.error.message')
            as error_message,
        coalesce(log.response ->> '$.body.error.type', log.error ->> 'code', log.response ->> '$.error.type')
            as error_type,
        from_json(
            coalesce(log.request, case when log.object = 'chat.completion' then raw end, '{}'),
            '{
                "model": "VARCHAR", "messages": "JSON", "user": "VARCHAR", "safety_identifier": "VARCHAR",
                "metadata": {
                    "route": "VARCHAR", "session_id": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR",
                    "prompt_name": "VARCHAR", "prompt_version": "VARCHAR"
                }
            }'
        ) as request,
        from_json(
            coalesce(
                log.response -> 'body', log.response, case when log.object = 'chat.completion' then raw end, '{}'
            ),
            '{
                "id": "VARCHAR", "created": "VARCHAR", "model": "VARCHAR", "system_fingerprint": "VARCHAR",
                "choices": [{"finish_reason": "VARCHAR", "message": "JSON"}],
                "usage": {
                    "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            }'
        ) as response,
        case when log.request is not null then json_merge_patch(log.request, '{"messages": null}') end as params_json
    from parsed
)

select
    file,
    line,
    coalesce(response.id, log.response ->> 'request_id', log.custom_id) as call_id,
    coalesce(log.session_id, request.metadata.session_id) as session_id,
    short_hash(coalesce(request.safety_identifier, request.user)) as user_key,
    coalesce(log.route, request.metadata.route) as route,
    request.metadata.environment as environment,
    request.metadata.release as release,
    request.metadata.prompt_name as prompt_name,
    coalesce(log.prompt_version, request.metadata.prompt_version) as prompt_version,
    'openai' as provider,
    coalesce(request.model, response.model) as model_requested,
    response.model as model_served,
    response.system_fingerprint as system_fingerprint,
    params_json,
    request.messages as messages_json,
    last_user_text(request.messages) as input_text,
    text_of(response.choices[1].message -> 'content') as output_text,
    response.choices[1].message as output_json,
    response.choices[1].finish_reason as finish_reason,
    coalesce(log.started_at, response.created) as started_at,
    log.latency_ms as latency_ms,
    response.usage.prompt_tokens as input_tokens,
    response.usage.completion_tokens as output_tokens,
    response.usage.prompt_tokens_details.cached_tokens as cached_tokens,
    response.usage.completion_tokens_details.reasoning_tokens as reasoning_tokens,
    case when error_message is not null or error_type is not null then 'error' else 'success' end as status,
    error_type,
    error_message,
    'false' as is_shadow,
    coalesce(log.tags, case when log.custom_id is not null then json_object('custom_id', log.custom_id) end) as tags
from paired
