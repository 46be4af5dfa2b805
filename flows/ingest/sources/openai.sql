-- OpenAI: {"request": ..., "response": ...} pairs (chat completions, completions and the Responses API), lines of a
-- batch's output and error files, stored completions and responses, and pages of them. A pair may carry its own id,
-- started_at, latency_ms, route, session_id, tags and the like beside the two.
--
-- Who the user is stands in user_key alone, for that column is hashed: neither params_json nor tags name them.
--
-- A line of a batch's input is no call (the output's line is), but where both stand in one file the output gets its
-- messages from it. A batch's failed line has no time at all, so that no day can be said for it: it is refused.
with read_in as (
    select
        file,
        line,
        raw,
        openai_record(raw) as log
    from records
),

pages as (
    select
        file,
        line,
        unnest(elements_of(log.data)) as item
    from read_in
    where log.object = 'list'
),

items as (
    select
        file,
        line,
        null as unit,
        cast(raw as json) as whole,
        log
    from read_in
    where log.object is distinct from 'list' or json_array_length(log.data) is null
    union all
    select
        file,
        line,
        item as unit,
        item as whole,
        openai_record(item) as log
    from pages
),

asked_in_batch as (
    -- Custom ids are unique within a batch only: one that stands here twice says nothing.
    select
        log.custom_id as custom_id,
        any_value(log.body) as body
    from items
    where log.custom_id is not null and log.url is not null and json_type(log.body) = 'OBJECT'
    group by log.custom_id
    having count(*) = 1
),

answered_in_batch as (
    select log.custom_id as custom_id
    from items
    where log.custom_id is not null and log.body is null
    group by log.custom_id
    having count(*) = 1
),

known as (
    select
        asked_in_batch.custom_id,
        asked_in_batch.body
    from asked_in_batch
    inner join answered_in_batch on asked_in_batch.custom_id = answered_in_batch.custom_id
),

matched as (
    select
        items.*,
        coalesce(items.log.object in ('chat.completion', 'response', 'text_completion'), false) as is_stored,
        structure_of(items.log.response) as replied,
        coalesce(structure_of(items.log.request), known.body) as request_json
    from items
    left join known on items.log.custom_id = known.custom_id
),

paired as (
    select
        *,
        from_json(
            case when json_type(coalesce(request_json, whole)) = 'OBJECT' then coalesce(request_json, whole) end,
            '{
                "model": "VARCHAR", "messages": "JSON", "input": "JSON", "instructions": "JSON", "prompt": "JSON",
                "user": "VARCHAR", "safety_identifier": "VARCHAR", "metadata": "JSON", "system": "JSON"
            }'
        ) as request,
        from_json(
            case when is_stored then whole else coalesce(structure_of(json_extract(replied, 'body')), replied) end,
            '{
                "id": "VARCHAR", "created": "VARCHAR", "created_at": "VARCHAR", "model": "VARCHAR",
                "system_fingerprint": "VARCHAR", "service_tier": "VARCHAR", "object": "VARCHAR",
                "status": "VARCHAR", "output": "JSON", "metadata": "JSON", "error": "JSON",
                "data": "JSON", "results": "JSON",
                "incomplete_details": {"reason": "VARCHAR"},
                "choices": [
                    {"finish_reason": "VARCHAR", "message": "JSON", "text": "JSON", "error": "JSON"}
                ],
                "usage": {
                    "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
                    "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "input_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"},
                    "output_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            }'
        ) as response,
        json_extract_string(replied, 'status_code') as status_code,
        json_extract_string(replied, 'request_id') as batch_request_id
    from matched
),

turned as (
    select
        *,
        coalesce(structure_of(request.metadata), structure_of(response.metadata)) as noted,
        -- A gateway may answer, and tell in the answer's place that its provider failed.
        coalesce(
            structure_of(response.error), structure_of(response.choices[1].error), structure_of(log.error)
        ) as fault,
        coalesce(written(response.error), written(response.choices[1].error), written(log.error)) as fault_text,
        coalesce(response.created, response.created_at) as answered_at,
        coalesce(request.messages, request.input, request.prompt) as asked,
        case when request.messages is null then request.instructions end as instructions,
        case
            when response.choices[1].message is not null then response.choices[1].message
            when response.choices[1].text is not null
                then json_object('role', 'assistant', 'content', response.choices[1].text)
            else response.output
        end as answered
    from paired
),

worded as (
    select
        *,
        chat_turns(asked) as turns,
        said_in(answered) as said,
        from_json(
            case when json_type(noted) = 'OBJECT' then noted end,
            '{
                "route": "VARCHAR", "session_id": "VARCHAR", "trace_id": "VARCHAR", "environment": "VARCHAR",
                "release": "VARCHAR", "prompt_name": "VARCHAR", "prompt_version": "VARCHAR",
                "user_id": "VARCHAR"
            }'
        ) as note,
        coalesce(
            json_extract_string(fault, '$.type'), json_extract_string(fault, '$.code'),
            case when try_cast(status_code as integer) >= 400 then 'status ' || status_code end
        ) as error_name
    from turned
),

marked as (
    select
        *,
        instructions is null and are_plain(turns, asked) as asks_plainly,
        is_plain(said, answered) as says_plainly
    from worded
),

read as (
    select
        *,
        question_of(asked, instructions, asks_plainly) as question,
        answer_of(answered, says_plainly) as answer
    from marked
)

select
    file,
    line,
    unit,
    case
        when log.body is not null and log.url is not null then 'other'
        when log.role is not null and log.request is null and log.response is null then 'other'
        -- Embeddings, images, moderations: an answer, but of no conversation.
        when
            coalesce(response.data, response.results) is not null
            and coalesce(cast(response.choices as json), response.output, response.error) is null
            then 'other'
        else 'interaction'
    end as target,
    case
        -- Ollama numbers its answers by chance, up to 999: such an id is not one call's.
        when regexp_full_match(response.id, 'chatcmpl-\d{3}')
            then
                coalesce(
                    log.call_id, log.request_id,
                    response.id || '-' || coalesce(response.created, log.started_at, '') || '-'
                    || left(md5(coalesce(cast(request_json as varchar), '')), 8)
                )
        else coalesce(response.id, log.call_id, log.id, batch_request_id, log.request_id, log.custom_id)
    end as call_id,
    coalesce(log.trace_id, note.trace_id) as trace_id,
    coalesce(log.session_id, note.session_id) as session_id,
    coalesce(
        log.safety_identifier, request.safety_identifier, log.user, request.user, log.input_user, note.user_id
    ) as user_key,
    coalesce(log.route, note.route) as route,
    coalesce(log.environment, note.environment) as environment,
    coalesce(log.release, note.release) as release,
    coalesce(log.prompt_name, note.prompt_name) as prompt_name,
    coalesce(log.prompt_version, note.prompt_version) as prompt_version,
    coalesce(log.provider, 'openai') as provider,
    coalesce(request.model, response.model) as model_requested,
    response.model as model_served,
    response.system_fingerprint as system_fingerprint,
    nullif(
        cast(json_merge_patch(
            case
                when request_json is not null
                    then json_merge_patch(
                        request_json,
                        '{
                            "messages": null, "input": null, "prompt": null, "metadata": null, "user": null,
                            "safety_identifier": null
                        }'
                    )
                when is_stored
                    then json_merge_patch(
                        whole,
                        '{
                            "id": null, "object": null, "created": null, "created_at": null, "choices": null,
                            "usage": null, "model": null, "metadata": null, "system_fingerprint": null,
                            "request_id": null, "input_user": null, "user": null, "safety_identifier": null,
                            "messages": null, "input": null, "output": null, "status": null, "error": null,
                            "incomplete_details": null
                        }'
                    )
                else '{}'
            end,
            case
                when response.service_tier is null then '{}'
                else json_object('service_tier', response.service_tier)
            end
        ) as varchar),
        '{}'
    ) as params_json,
    case when asks_plainly then asked else question.messages end as messages_json,
    case when asks_plainly then last_words(turns) else question.text end as input_text,
    case when says_plainly then said.content else answer.text end as output_text,
    case when says_plainly then answered else answer.message end as output_json,
    case
        when response.choices[1].finish_reason is not null then response.choices[1].finish_reason
        when response.object <> 'response' then null
        when response.incomplete_details.reason is not null then response.incomplete_details.reason
        when response.status = 'completed' and json_array_length(cast(answer.message as json), 'tool_calls') > 0
            then 'tool_calls'
        else response.status
    end as finish_reason,
    -- A time that cannot be read does not stand before one that can.
    case
        when log.started_at is null or is_time(log.started_at) or not is_time(answered_at)
            then coalesce(log.started_at, answered_at)
        else answered_at
    end as started_at,
    case
        when log.started_at <> '' and not is_time(log.started_at) and is_time(answered_at) then 'started_at'
    end as unreadable,
    log.latency_ms as latency_ms,
    log.ttft_ms as ttft_ms,
    coalesce(response.usage.prompt_tokens, response.usage.input_tokens) as input_tokens,
    coalesce(response.usage.completion_tokens, response.usage.output_tokens) as output_tokens,
    coalesce(
        response.usage.prompt_tokens_details.cached_tokens, response.usage.input_tokens_details.cached_tokens
    ) as cached_tokens,
    coalesce(
        response.usage.completion_tokens_details.reasoning_tokens,
        response.usage.output_tokens_details.reasoning_tokens
    ) as reasoning_tokens,
    log.cost_usd as cost_usd,
    case when log.cost_usd is not null then 'logged' end as cost_source,
    case when log.custom_id is not null then 'batch' else response.service_tier end as price_tier,
    case
        when error_name is not null or fault_text is not null or response.status in ('failed', 'cancelled') then 'error'
        else 'success'
    end as status,
    error_name as error_type,
    coalesce(json_extract_string(fault, '$.message'), fault_text) as error_message,
    log.cache_hit as cache_hit,
    'false' as is_shadow,
    if(question.is_cut or answer.is_cut, 'true', 'false') as is_cut,
    coalesce(
        log.tags,
        cast(nullif(
            cast(json_merge_patch(
                json_merge_patch(
                    case when json_type(noted) = 'OBJECT' then noted else '{}' end,
                    '{
                        "route": null, "session_id": null, "trace_id": null, "environment": null, "release": null,
                        "prompt_name": null, "prompt_version": null, "user_id": null
                    }'
                ),
                case when log.custom_id is null then '{}' else json_object('custom_id', log.custom_id) end
            ) as varchar),
            '{}'
        ) as json)
    ) as tags,
    case
        when not is_stored and log.request is null and log.response is null and log.error is null
            then 'neither a request with its response, nor a line of a batch, nor a stored completion'
        when log.custom_id is not null and coalesce(log.started_at, answered_at) is null
            then 'a failed line of a batch: OpenAI gives it no time, so no day can be said for it'
    end as problem
from read
