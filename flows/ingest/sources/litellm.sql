-- litellm's StandardLoggingPayload: one object a line, or one a file.
-- startTime and its like are epoch seconds, or times without a zone in older files; both are understood.
with parsed as (
    select
        file,
        line,
        from_json(
            raw,
            '{
                "id": "VARCHAR", "litellm_call_id": "VARCHAR", "trace_id": "VARCHAR", "session_id": "VARCHAR",
                "call_type": "VARCHAR", "stream": "VARCHAR", "status": "VARCHAR", "end_user": "VARCHAR",
                "custom_llm_provider": "VARCHAR", "model": "VARCHAR", "model_group": "VARCHAR",
                "startTime": "VARCHAR", "endTime": "VARCHAR", "completionStartTime": "VARCHAR",
                "response_time": "VARCHAR", "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
                "response_cost": "VARCHAR", "cache_hit": "VARCHAR", "request_tags": "JSON",
                "messages": "JSON", "response": "JSON", "model_parameters": "JSON", "error_str": "VARCHAR",
                "error_information": {"error_class": "VARCHAR", "error_message": "VARCHAR"},
                "hidden_params": {"litellm_model_name": "VARCHAR"},
                "metadata": {
                    "user_api_key_end_user_id": "VARCHAR", "is_silent_experiment": "VARCHAR",
                    "prompt_management_metadata": {"prompt_id": "VARCHAR"},
                    "requester_metadata": {
                        "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR",
                        "prompt_name": "VARCHAR", "prompt_version": "VARCHAR"
                    },
                    "usage_object": {
                        "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                        "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                    }
                }
            }'
        ) as log
    from records
),

answered as (
    select
        file,
        line,
        log,
        from_json(
            case when json_type(log.response) = 'OBJECT' then log.response end,
            '{
                "model": "VARCHAR", "system_fingerprint": "VARCHAR",
                "choices": [{"finish_reason": "VARCHAR", "message": "JSON", "text": "VARCHAR"}],
                "usage": {
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            }'
        ) as response
    from parsed
)

select
    file,
    line,
    case
        when log.call_type is null or log.call_type = '' then 'interaction'
        when regexp_matches(log.call_type, 'completion|responses|messages|generate_content') then 'interaction'
        else 'other'
    end as target,
    coalesce(log.id, log.litellm_call_id) as call_id,
    log.trace_id as trace_id,
    log.session_id as session_id,
    short_hash(coalesce(nullif(log.end_user, ''), log.metadata.user_api_key_end_user_id)) as user_key,
    coalesce(log.metadata.requester_metadata.route, log.metadata.prompt_management_metadata.prompt_id) as route,
    log.metadata.requester_metadata.environment as environment,
    log.metadata.requester_metadata.release as release,
    coalesce(
        log.metadata.prompt_management_metadata.prompt_id, log.metadata.requester_metadata.prompt_name
    ) as prompt_name,
    log.metadata.requester_metadata.prompt_version as prompt_version,
    log.custom_llm_provider as provider,
    coalesce(nullif(log.model_group, ''), log.model) as model_requested,
    coalesce(response.model, nullif(log.hidden_params.litellm_model_name, ''), log.model) as model_served,
    response.system_fingerprint as system_fingerprint,
    log.model_parameters as params_json,
    log.messages as messages_json,
    last_user_text(log.messages) as input_text,
    case
        when json_type(log.response) = 'VARCHAR' then log.response ->> '$'
        else coalesce(text_of(response.choices[1].message -> 'content'), response.choices[1].text)
    end as output_text,
    coalesce(response.choices[1].message, log.response) as output_json,
    response.choices[1].finish_reason as finish_reason,
    log.startTime as started_at,
    coalesce(milliseconds_between(log.startTime, log.endTime), try_cast(log.response_time as double) * 1000)
        as latency_ms,
    case when lower(log.stream) = 'true' then milliseconds_between(log.startTime, log.completionStartTime) end
        as ttft_ms,
    log.prompt_tokens as input_tokens,
    log.completion_tokens as output_tokens,
    coalesce(
        log.metadata.usage_object.prompt_tokens_details.cached_tokens,
        response.usage.prompt_tokens_details.cached_tokens
    ) as cached_tokens,
    coalesce(
        log.metadata.usage_object.completion_tokens_details.reasoning_tokens,
        response.usage.completion_tokens_details.reasoning_tokens
    ) as reasoning_tokens,
    log.response_cost as cost_usd,
    case when log.response_cost is not null then 'logged' end as cost_source,
    case when log.status = 'failure' then 'error' else 'success' end as status,
    nullif(log.error_information.error_class, '') as error_type,
    coalesce(nullif(log.error_information.error_message, ''), log.error_str) as error_message,
    log.cache_hit as cache_hit,
    coalesce(log.metadata.is_silent_experiment, 'false') as is_shadow,
    log.request_tags as tags
from answered
