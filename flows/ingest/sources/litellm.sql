-- litellm's StandardLoggingPayload (one object a line, or one a file) and the rows of its table LiteLLM_SpendLogs.
-- startTime and its like are epoch seconds, or times without a zone (UTC); both are understood.
-- A record is parsed once. What only some records need (a row whose JSON stands in texts, an answer that is no chat
-- completion, a request that is no list of messages) stands in a branch of its own, which the others do not run.
with parsed as not materialized (
    select
        file,
        line,
        raw,
        litellm_log(raw) as log
    from records
),

-- A row out of a table may have its JSON columns as texts.
untexted as not materialized (
    select
        file,
        line,
        raw,
        case
            when
                (log.request_id is not null or log.response.choices is null)
                and 'VARCHAR' in (json_type(raw, '$.metadata'), json_type(raw, '$.response'))
                then litellm_log(json_merge_patch(raw, untexted_fields(raw)))
            else log
        end as log
    from parsed
),

-- What was asked and answered in another shape than litellm's usual one.
told as not materialized (
    select
        file,
        line,
        raw,
        log,
        json_starts(log.messages) = '[' and log.messages <> '[]' as is_chat,
        log.response.choices is not null and len(log.response.choices) > 0 as is_completion,
        case when log.proxy_server_request is not null then plain_json(log.proxy_server_request) end as body,
        case when not is_completion then nullif(plain_json(raw -> 'response'), '{}') end as other_response,
        -- A stream that was passed through is logged as it came: server-sent events.
        coalesce(regexp_matches(other_response ->> '$', '^(event|data|id|:)[^\n]*\n'), false) as is_stream_text
    from untexted
),

opened as not materialized (
    select
        *,
        from_json(
            case when json_starts(body) = '{' then body end,
            '{
                "messages": "JSON", "input": "JSON", "prompt": "JSON", "contents": "JSON", "system": "JSON",
                "systemInstruction": "JSON", "system_instruction": "JSON", "instructions": "JSON", "stream": "VARCHAR", "user": "VARCHAR",
                "metadata": {
                    "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR", "session_id": "VARCHAR",
                    "prompt_name": "VARCHAR", "prompt_version": "VARCHAR", "generation_name": "VARCHAR",
                    "trace_name": "VARCHAR", "trace_release": "VARCHAR"
                }
            }'
        ) as request,
        from_json(
            case when json_starts(other_response) = '{' then other_response end,
            '{
                "output": "JSON", "content": "JSON", "text": "VARCHAR", "status": "VARCHAR", "stop_reason": "VARCHAR",
                "role": "VARCHAR", "incomplete_details": {"reason": "VARCHAR"},
                "candidates": [{"finishReason": "VARCHAR", "content": {"parts": "JSON"}}], "modelVersion": "VARCHAR",
                "usage": {
                    "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
                    "input_tokens_details": {"cached_tokens": "VARCHAR"},
                    "output_tokens_details": {"reasoning_tokens": "VARCHAR"}
                },
                "usageMetadata": {
                    "promptTokenCount": "VARCHAR", "candidatesTokenCount": "VARCHAR",
                    "cachedContentTokenCount": "VARCHAR", "thoughtsTokenCount": "VARCHAR"
                }
            }'
        ) as other
    from told
),

shaped as not materialized (
    select
        *,
        case
            when is_chat then log.messages
            else
                coalesce(
                    nullif(nullif(plain_json(log.messages), '{}'), '[]'),
                    request.messages, request.input, request.prompt, request.contents
                )
        end as asked,
        coalesce(
            request.system, request.instructions, request.systemInstruction, request.system_instruction
        ) as instructions,
        case
            when log.response.choices[1].message is not null then log.response.choices[1].message
            when is_completion then json_object('role', 'assistant', 'content', log.response.choices[1].text)
            when is_stream_text
                then json_object('role', 'assistant', 'content', as_streamed_text(other_response ->> '$'))
            when json_starts(other_response) = '"' then json_object('role', 'assistant', 'content', other_response)
            when coalesce(other.output, other.content, to_json(other.candidates)) is not null then other_response
            when other.text is not null then json_object('role', 'assistant', 'content', other.text)
        end as answered
    from opened
),

measured as not materialized (
    select
        *,
        chat_turns(asked) as turns,
        said_in(answered) as said,
        coalesce(
            log.metadata.usage_object.cache_read_input_tokens,
            log.metadata.usage_object.prompt_tokens_details.cached_tokens,
            log.response.usage.cache_read_input_tokens,
            log.response.usage.prompt_tokens_details.cached_tokens,
            log.metadata.additional_usage_values.cache_read_input_tokens,
            log.metadata.additional_usage_values.prompt_tokens_details.cached_tokens,
            log.hidden_params.usage_object.cache_read_input_tokens,
            log.hidden_params.usage_object.prompt_tokens_details.cached_tokens,
            other.usage.input_tokens_details.cached_tokens,
            other.usageMetadata.cachedContentTokenCount
        ) as cached_tokens,
        coalesce(
            log.metadata.usage_object.cache_creation_input_tokens, log.response.usage.cache_creation_input_tokens,
            log.metadata.additional_usage_values.cache_creation_input_tokens
        ) as written_tokens,
        -- Where nothing was counted litellm writes 0, which no call's input comes to.
        coalesce(
            nullif(log.prompt_tokens, '0'), nullif(log.metadata.usage_object.prompt_tokens, '0'),
            nullif(log.response.usage.prompt_tokens, '0'), other.usage.input_tokens,
            other.usageMetadata.promptTokenCount
        ) as input_tokens,
        coalesce(
            nullif(log.completion_tokens, '0'), nullif(log.metadata.usage_object.completion_tokens, '0'),
            nullif(log.response.usage.completion_tokens, '0'), other.usage.output_tokens,
            other.usageMetadata.candidatesTokenCount,
            case when input_tokens is not null then log.completion_tokens end
        ) as output_tokens,
        coalesce(
            log.error_information.error_class, log.metadata.error_information.error_class
        ) as error_class,
        coalesce(
            nullif(log.error_information.error_message, ''), nullif(log.metadata.error_information.error_message, ''),
            nullif(log.error_str, '')
        ) as error_message,
        case
            when coalesce(log.status, log.metadata.status) = 'failure' then 'error'
            when coalesce(log.status, log.metadata.status) is null and (error_class <> '' or error_message <> '')
                then 'error'
            else 'success'
        end as status,
        case when lower(log.cache_hit) in ('true', 'false') then lower(log.cache_hit) end as cache_hit,
        coalesce(nullif(log.response_cost, ''), nullif(log.spend, '')) as charged,
        try_cast(log.startTime as double) as begin_seconds,
        try_cast(log.endTime as double) as end_seconds
    from shaped
),

turned as not materialized (
    select
        *,
        instructions is null and are_plain(turns, asked) as asks_plainly,
        is_plain(said, answered) as says_plainly
    from measured
),

read as not materialized (
    select
        *,
        question_of(asked, instructions, asks_plainly) as question,
        answer_of(answered, says_plainly) as answer
    from turned
)

select
    file,
    line,
    case
        -- A pattern, for DuckDB makes a join of a long list of words.
        when
            regexp_full_match(
                coalesce(log.call_type, ''),
                '|_?a?(text_completion|completion|responses|responses_websocket|realtime|anthropic_messages)'
                || '|a?(generate_content|generate_content_stream|create_interaction)'
            )
            -- Items of a batch say neither when they were asked nor when they were answered.
            then if(log.startTime is null and (raw ->> 'batch_id') is not null, 'other', 'interaction')
        -- Calls that were only passed through are LLM calls where an LLM's answer came back.
        when
            contains(log.call_type, 'pass')
            and (
                is_completion or other.candidates is not null or other.stop_reason is not null
                or other.output is not null or is_stream_text
            )
            then 'interaction'
        else 'other'
    end as target,
    case
        -- Ollama numbers its answers by chance, up to 999: such an id is not one call's.
        when regexp_full_match(log.id, 'chatcmpl-\d{3}')
            then log.id || '-' || coalesce(log.litellm_call_id, log.startTime, '')
        else coalesce(nullif(nullif(log.id, ''), 'None'), nullif(log.request_id, ''), log.litellm_call_id)
    end as call_id,
    -- litellm logs a request that it answers through another of its interfaces under both.
    log.litellm_call_id as one_call,
    log.call_type as logged_as,
    nullif(log.trace_id, '') as trace_id,
    coalesce(
        nullif(log.session_id, ''), log.metadata.requester_metadata.session_id,
        log.metadata.spend_logs_metadata.session_id, request.metadata.session_id
    ) as session_id,
    coalesce(
        nullif(log.end_user, ''), nullif(log.metadata.user_api_key_end_user_id, ''), nullif(request.user, ''),
        log.metadata.requester_metadata.trace_user_id, log.metadata.requester_metadata.user_id,
        nullif(log.user, ''), nullif(log.metadata.user_api_key_user_id, ''),
        case
            when contains(log.model_parameters, 'user')
                then nullif(plain_json(log.model_parameters) ->> '$.user', '')
        end
    ) as user_key,
    coalesce(
        log.metadata.requester_metadata.route, log.metadata.spend_logs_metadata.route, request.metadata.route,
        log.metadata.prompt_management_metadata.prompt_id, log.metadata.requester_metadata.generation_name,
        request.metadata.generation_name, log.metadata.requester_metadata.trace_name, request.metadata.trace_name
    ) as route,
    coalesce(
        log.metadata.requester_metadata.environment, log.metadata.spend_logs_metadata.environment,
        request.metadata.environment
    ) as environment,
    coalesce(
        log.metadata.requester_metadata.release, log.metadata.spend_logs_metadata.release, request.metadata.release,
        log.metadata.requester_metadata.trace_release, request.metadata.trace_release
    ) as release,
    coalesce(
        log.metadata.prompt_management_metadata.prompt_id, log.metadata.requester_metadata.prompt_name,
        log.metadata.spend_logs_metadata.prompt_name, request.metadata.prompt_name
    ) as prompt_name,
    coalesce(
        log.metadata.prompt_management_metadata.prompt_version, log.metadata.requester_metadata.prompt_version,
        log.metadata.spend_logs_metadata.prompt_version, request.metadata.prompt_version
    ) as prompt_version,
    nullif(log.custom_llm_provider, '') as provider,
    coalesce(nullif(log.model_group, ''), nullif(log.model, '')) as model_requested,
    -- A router answers under the name of the group that was asked for; which model served it stands elsewhere.
    coalesce(
        nullif(log.response.model, log.model_group), other.modelVersion,
        nullif(log.hidden_params.litellm_model_name, ''), nullif(log.model, ''), log.response.model
    ) as model_served,
    log.response.system_fingerprint as system_fingerprint,
    case
        when log.model_parameters is not null then plain_json(log.model_parameters)
        when json_starts(body) = '{' and body <> '{}'
            then
                json_merge_patch(
                    body,
                    '{"messages":null,"input":null,"prompt":null,"contents":null,"system":null,"instructions":null,'
                    || '"metadata":null}'
                )
    end as params_json,
    case when asks_plainly then asked else question.messages end as messages_json,
    nullif(case when asks_plainly then last_words(turns) else question.text end, 'redacted-by-litellm') as input_text,
    nullif(case when says_plainly then said.content else answer.text end, 'redacted-by-litellm') as output_text,
    case when says_plainly then answered else coalesce(answer.message, other_response) end as output_json,
    coalesce(
        log.response.choices[1].finish_reason,
        other.incomplete_details.reason,
        other.stop_reason,
        other.candidates[1].finishReason,
        case when other.output is not null then other.status end,
        answer.finish_reason
    ) as finish_reason,
    coalesce(log.startTime, raw ->> 'start_time') as started_at,
    coalesce(
        case  -- as milliseconds_between says, where both are seconds
            when abs(begin_seconds) < 1e11 and abs(end_seconds) < 1e11
                then (epoch_us(to_timestamp(end_seconds)) - epoch_us(to_timestamp(begin_seconds))) / 1000.0
            else milliseconds_between(log.startTime, log.endTime)
        end,
        try_cast(log.request_duration_ms as double),
        try_cast(log.response_time as double) * 1000
    ) as latency_ms,
    case
        when lower(coalesce(log.stream, request.stream)) = 'true'
            then milliseconds_between(log.startTime, log.completionStartTime)
    end as ttft_ms,
    -- All of the input. Anthropic's own count leaves the cached part out, and older versions logged it as it came.
    case
        when
            try_cast(cached_tokens as double) + coalesce(try_cast(written_tokens as double), 0)
            > try_cast(input_tokens as double)
            then (
                try_cast(input_tokens as double) + try_cast(cached_tokens as double)
                + coalesce(try_cast(written_tokens as double), 0)
            )::varchar
        else input_tokens
    end as input_tokens,
    output_tokens,
    cached_tokens,
    coalesce(
        log.metadata.usage_object.completion_tokens_details.reasoning_tokens,
        log.response.usage.completion_tokens_details.reasoning_tokens,
        log.metadata.additional_usage_values.completion_tokens_details.reasoning_tokens,
        log.hidden_params.usage_object.completion_tokens_details.reasoning_tokens,
        other.usage.output_tokens_details.reasoning_tokens,
        other.usageMetadata.thoughtsTokenCount
    ) as reasoning_tokens,
    -- Where litellm knows no price, or counted no tokens of a stream, it writes 0. That is a cost only where the call
    -- was free: it failed, it came from the cache, or its tokens are counted and the model is in litellm's price map.
    case
        when
            try_cast(charged as double) = 0 and status = 'success' and coalesce(cache_hit, 'false') <> 'true'
            and (
                coalesce(input_tokens, output_tokens) is null
                or log.response_cost_failure_debug_info is not null or log.zero_cost_diagnostic is not null
                or coalesce(log.model_map_information, log.metadata.model_map_information).model_map_value is null
            )
            then null
        else charged
    end as cost_usd,
    case when cost_usd is not null then 'logged' end as cost_source,
    status,
    nullif(error_class, '') as error_type,
    error_message,
    cache_hit,
    case when lower(log.metadata.is_silent_experiment) in ('true', '1') then 'true' else 'false' end as is_shadow,
    nullif(plain_json(log.request_tags), '[]') as tags,
    if(question.is_cut or answer.is_cut, 'true', 'false') as is_cut
from read
