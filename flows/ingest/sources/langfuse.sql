-- Langfuse: rows of its exports (observations_v2, observations, scores, traces) and of its public API, the API's
-- pages, and whole traces with their observations and scores. Every column may hold JSON, or a text that holds JSON.
--
-- A generation is a call; any other observation, and a trace, is none. A score is feedback: its call_id is the
-- observation's id, or the trace's (else the session's) where it was given for the whole of it. An evaluator's score
-- is implicit, one by a person or through the API explicit. Scores of dataset runs tell nothing of production.
with parsed as (
    select
        file,
        line,
        langfuse_record(case when contains(raw, '"\"') then langfuse_unquoted(raw) else raw end) as log
    from records
),

marked as (
    select
        *,
        coalesce(
            json_type(log.trace) = 'OBJECT'
            or json_type(log.observations) = 'ARRAY'
            or json_type(log.scores) = 'ARRAY'
            or json_type(log.data) = 'ARRAY',
            false
        ) as is_pack
    from parsed
),

packs as (
    -- What holds several records, and the trace that they belong to: `trace`, or the whole where there is none.
    select
        file,
        line,
        log,
        case
            when json_type(log.trace) = 'OBJECT' then langfuse_record(log.trace)
            when json_type(log.data) = 'ARRAY' then langfuse_record(cast(null as json))
            else log
        end as trace
    from marked
    where is_pack
),

contents as (
    select
        file,
        line,
        trace,
        -- A listed trace names its observations by their ids alone; the object without a name is the trace itself.
        unnest(
            list_filter(
                elements_of(log.data)
                || full_or(log.observations, trace.observations)
                || full_or(log.scores, trace.scores)
                || full_or(log.corrections, trace.corrections),
                lambda item: json_type(item) <> 'VARCHAR'
            )
            || case when json_array_length(log.data) > 0 then [] else [cast('{"is_trace": true}' as json)] end
        ) as unit
    from packs
),

items as (
    select
        file,
        line,
        null as unit,
        log,
        langfuse_record(cast(null as json)) as trace
    from marked
    where not is_pack
    union all
    select
        file,
        line,
        unit,
        langfuse_record(unit) as log,
        trace
    from contents
),

judged as (
    select
        *,
        case
            when unit = '{"is_trace": true}' then 'trace'
            when log.type <> '' and upper(log.type) = 'GENERATION' then 'call'
            when log.type <> '' then 'observation'
            when given(log.data_type, log.dataType) is not null or upper(log.source) in ('API', 'EVAL', 'ANNOTATION')
                then 'score'
            when log.timestamp <> '' then 'trace'
        end as kind
    from items
),

calls as (
    -- What only a call has, read once.
    select
        *,
        coalesce(structure_of(log.input), to_json(written(log.input))) as asked,
        coalesce(structure_of(log.output), to_json(written(log.output))) as answered,
        -- Who the user is stands in user_key alone, for that column is hashed.
        json_merge_patch(
            structure_of(coalesce(log.model_parameters, log.modelParameters)),
            '{"user": null, "safety_identifier": null}'
        ) as chosen,
        json_extract_string(structure_of(coalesce(log.model_parameters, log.modelParameters)), 'user') as named_user,
        structure_of(coalesce(log.tool_definitions, log.toolDefinitions)) as tools,
        structure_of(coalesce(log.cost_details, log.costDetails)) as prices,
        try_cast(
            flat_usage(
                coalesce(
                    full_object(structure_of(log.usage_details)), full_object(structure_of(log.usageDetails)),
                    full_object(structure_of(log.usage)), told_usage(structure_of(log.output))
                )
            ) as map (varchar, varchar)
        ) as used,
        from_json(
            structure_of(log.metadata),
            '{
                "attributes": "JSON", "tags": "JSON", "thread_id": "VARCHAR", "ls_provider": "VARCHAR",
                "ls_model_name": "VARCHAR", "langfuse_session_id": "VARCHAR", "langfuse_user_id": "VARCHAR",
                "cache_hit": "VARCHAR"
            }'
        ) as metadata
    from judged
    where kind = 'call'
),

instrumented as (
    -- What instrumentation left in the attributes of the call's span, and the answer by the names it may have.
    select
        *,
        from_json(
            structure_of(metadata.attributes),
            '{
                "gen_ai.provider.name": "VARCHAR", "gen_ai.system": "VARCHAR", "llm.provider": "VARCHAR",
                "llm.system": "VARCHAR", "ai.model.provider": "VARCHAR", "gen_ai.request.model": "VARCHAR",
                "ai.model.id": "VARCHAR", "gen_ai.response.model": "VARCHAR", "ai.response.model": "VARCHAR",
                "gen_ai.response.finish_reasons": "JSON", "ai.response.finishReason": "VARCHAR",
                "llm.finish_reason": "VARCHAR", "gen_ai.conversation.id": "VARCHAR", "session.id": "VARCHAR",
                "user.id": "VARCHAR", "gen_ai.prompt.name": "VARCHAR", "error.type": "VARCHAR",
                "exception.type": "VARCHAR", "gen_ai.response.time_to_first_chunk": "VARCHAR",
                "ai.response.msToFirstChunk": "VARCHAR", "openai.response.system_fingerprint": "VARCHAR",
                "gen_ai.openai.response.system_fingerprint": "VARCHAR", "gen_ai.usage.input_tokens": "VARCHAR",
                "gen_ai.usage.output_tokens": "VARCHAR", "gen_ai.usage.prompt_tokens": "VARCHAR",
                "gen_ai.usage.completion_tokens": "VARCHAR", "llm.token_count.prompt": "VARCHAR",
                "llm.token_count.completion": "VARCHAR"
            }'
        ) as attributes,
        from_json(
            case when json_type(answered) = 'OBJECT' then answered end,
            '{
                "choices": [{"finish_reason": "VARCHAR"}],
                "candidates": [{"finishReason": "VARCHAR", "finish_reason": "VARCHAR"}],
                "object": "VARCHAR", "status": "VARCHAR", "incomplete_details": {"reason": "VARCHAR"},
                "instructions": "JSON", "finish_reason": "VARCHAR", "finishReason": "VARCHAR",
                "stop_reason": "VARCHAR", "model": "VARCHAR", "system_fingerprint": "VARCHAR",
                "usage_metadata": "JSON",
                "response_metadata": {
                    "finish_reason": "VARCHAR", "model_name": "VARCHAR", "system_fingerprint": "VARCHAR"
                }
            }'
        ) as answer
    from calls
),

turned as (
    select
        *,
        chat_turns(asked) as turns,
        said_in(answered) as said
    from instrumented
),

told_plainly as (
    select
        *,
        answer.instructions is null and are_plain(turns, asked) as asks_plainly,
        is_plain(said, answered) as says_plainly
    from turned
),

worded as (
    select
        *,
        question_of(asked, answer.instructions, asks_plainly) as question,
        answer_of(answered, says_plainly) as spoken
    from told_plainly
),

counted as (
    select
        *,
        coalesce(
            list_max(counts_of(used, 'input', '')),
            list_max(
                counts_of(
                    used,
                    'input_tokens|prompt|prompt_tokens|promptTokens|prompt_token_count|promptTokenCount', ''
                )
            ),
            try_cast(
                coalesce(
                    log.promptTokens, attributes."gen_ai.usage.input_tokens",
                    attributes."gen_ai.usage.prompt_tokens", attributes."llm.token_count.prompt"
                ) as double
            )
        ) as asked_tokens,
        list_sum(
            counts_of(
                used, 'input_.*|cached_tokens|cached_content_token_count|cache_(read|creation|write).*',
                'input_tokens'
            )
        ) as asked_parts,
        coalesce(
            list_max(counts_of(used, 'output', '')),
            list_max(
                counts_of(
                    used,
                    'output_tokens|completion|completion_tokens|completionTokens|candidates_token_count'
                    || '|candidatesTokenCount', ''
                )
            ),
            try_cast(
                coalesce(
                    log.completionTokens, attributes."gen_ai.usage.output_tokens",
                    attributes."gen_ai.usage.completion_tokens", attributes."llm.token_count.completion"
                ) as double
            )
        ) as answered_tokens,
        list_sum(
            counts_of(
                used, 'output_.*|reasoning_tokens|thoughts_tokens?|thoughts_token_count|thoughtsTokenCount',
                'output_tokens'
            )
        ) as answered_parts,
        list_max(counts_of(used, 'total|total_tokens|totalTokens|total_token_count|totalTokenCount', '')) as total
    from worded
),

summed as (
    -- Langfuse takes what was cached out of `input`, and reasoning out of `output`, but not all who log to it do:
    -- `total` tells. Where it tells nothing, each token stands in one count only, as Langfuse has it.
    select
        *,
        coalesce(asked_tokens, 0) + coalesce(asked_parts, 0) as asked_sum,
        coalesce(answered_tokens, 0) + coalesce(answered_parts, 0) as answered_sum,
        coalesce(asked_tokens, 0) as asked_alone,
        coalesce(answered_tokens, 0) as answered_alone
    from counted
),

priced as (
    select
        *,
        coalesce(
            given(log.total_cost, log.totalCost), nullif(log.calculatedTotalCost, ''),
            json_extract_string(prices, 'total')
        ) as price,
        epoch_us(as_time(given(log.start_time, log.startTime))) as begun,
        epoch_us(as_time(given(log.end_time, log.endTime))) as ended,
        epoch_us(as_time(given(log.completion_start_time, log.completionStartTime))) as spoke
    from summed
),

told as (
    -- The call that a row is about, and what its trace, its metadata or its span tell where it does not.
    select
        file,
        line,
        unit,
        'interaction' as target,
        nullif(log.id, '') as call_id,
        coalesce(given(log.trace_id, log.traceId), trace.id) as trace_id,
        coalesce(
            given(log.session_id, log.sessionId), given(trace.session_id, trace.sessionId),
            given(attributes."gen_ai.conversation.id", attributes."session.id"),
            given(metadata.langfuse_session_id, metadata.thread_id)
        ) as session_id,
        coalesce(
            given(log.user_id, log.userId), given(trace.user_id, trace.userId),
            given(attributes."user.id", metadata.langfuse_user_id), nullif(named_user, '')
        ) as user_key,
        -- Langfuse has no routes. A prompt's name names the job; a trace's name is what is next to it.
        coalesce(
            given(log.prompt_name, log.promptName), nullif(attributes."gen_ai.prompt.name", ''),
            given(log.trace_name, log.traceName), nullif(trace.name, '')
        ) as route,
        given(log.environment, trace.environment) as environment,
        coalesce(given(log.release, trace.release), given(log.version, trace.version)) as release,
        coalesce(given(log.prompt_name, log.promptName), nullif(attributes."gen_ai.prompt.name", '')) as prompt_name,
        given(log.prompt_version, log.promptVersion) as prompt_version,
        coalesce(
            given(attributes."gen_ai.provider.name", attributes."gen_ai.system"),
            given(attributes."llm.provider", attributes."llm.system"),
            given(attributes."ai.model.provider", metadata.ls_provider)
        ) as provider,
        coalesce(
            given(attributes."gen_ai.request.model", attributes."ai.model.id"), nullif(metadata.ls_model_name, ''),
            given(log.provided_model_name, log.providedModelName), nullif(log.model, '')
        ) as model_requested,
        coalesce(
            given(attributes."gen_ai.response.model", attributes."ai.response.model"),
            case when answer.object in ('response', 'chat.completion') then answer.model end,
            answer.response_metadata.model_name,
            given(log.provided_model_name, log.providedModelName), nullif(log.model, '')
        ) as model_served,
        coalesce(
            given(
                attributes."openai.response.system_fingerprint",
                attributes."gen_ai.openai.response.system_fingerprint"
            ),
            given(answer.system_fingerprint, answer.response_metadata.system_fingerprint)
        ) as system_fingerprint,
        case
            when json_array_length(tools) > 0 or len(json_keys(tools)) > 0
                then json_merge_patch(coalesce(chosen, '{}'), json_object('tools', tools))
            when len(json_keys(chosen)) > 0 then chosen
        end as params_json,
        case when asks_plainly then asked else question.messages end as messages_json,
        case when asks_plainly then last_words(turns) else question.text end as input_text,
        case when says_plainly then said.content else spoken.text end as output_text,
        case when says_plainly then answered else spoken.message end as output_json,
        coalesce(
            answer.choices[1].finish_reason,
            given(answer.candidates[1].finishReason, answer.candidates[1].finish_reason),
            given(answer.finish_reason, answer.finishReason), nullif(answer.stop_reason, ''),
            answer.response_metadata.finish_reason, spoken.finish_reason,
            structure_of(attributes."gen_ai.response.finish_reasons") ->> '$[0]',
            given(attributes."ai.response.finishReason", attributes."llm.finish_reason"),
            json_extract_string(chosen, 'finishReason'),
            -- The Responses API has a status in its place.
            case
                when answer.object <> 'response' then null
                when answer.incomplete_details.reason is not null then answer.incomplete_details.reason
                when
                    answer.status = 'completed'
                    and json_array_length(cast(spoken.message as json), 'tool_calls') > 0
                    then 'tool_calls'
                else answer.status
            end
        ) as finish_reason,
        given(log.start_time, log.startTime) as started_at,
        -- Exports say seconds, or milliseconds where they were set up long ago: the times themselves are plain.
        cast(
            coalesce(
                (ended - begun) / 1000.0,
                try_cast(log.latency as double) * 1000
            ) as varchar
        ) as latency_ms,
        cast(
            coalesce(
                (spoke - begun) / 1000.0,
                try_cast(given(log.time_to_first_token, log.timeToFirstToken) as double) * 1000,
                try_cast(attributes."gen_ai.response.time_to_first_chunk" as double) * 1000,
                try_cast(attributes."ai.response.msToFirstChunk" as double)
            ) as varchar
        ) as ttft_ms,
        coalesce(
            cast(
                case
                    when coalesce(asked_tokens, asked_parts) is null then null
                    when total is null or total in (asked_sum + answered_sum, asked_sum + answered_alone)
                        then asked_sum
                    when total in (asked_alone + answered_sum, asked_alone + answered_alone) then asked_alone
                    else asked_sum
                end as varchar
            ),
            used['input']
        ) as input_tokens,
        coalesce(
            cast(
                case
                    when coalesce(answered_tokens, answered_parts) is null then null
                    when total is null or total in (asked_sum + answered_sum, asked_alone + answered_sum)
                        then answered_sum
                    when total in (asked_sum + answered_alone, asked_alone + answered_alone) then answered_alone
                    else answered_sum
                end as varchar
            ),
            used['output']
        ) as output_tokens,
        cast(
            list_max(
                counts_of(
                    used,
                    '(input_)?cached(_tokens)?|(input_)?cache_read((_|\.input_)(input_)?tokens)?'
                    || '|cached_content_token_count|cachedContentTokenCount'
                    || '|(prompt|input)(_tokens?)?_details\.(cache_read|cached_tokens)', ''
                )
            ) as varchar
        ) as cached_tokens,
        cast(
            list_max(
                counts_of(
                    used,
                    '(output_)?reasoning(_tokens|\.output_tokens)?|thoughts_tokens?|thoughts_token_count'
                    || '|thoughtsTokenCount|(completion|output)(_tokens?)?_details\.reasoning(_tokens)?', ''
                )
            ) as varchar
        ) as reasoning_tokens,
        -- The API says 0 where nothing is known of the cost.
        case
            when len(json_keys(prices)) > 0 or coalesce(try_cast(price as double), 1) <> 0 then price
        end as cost_usd,
        case when cost_usd is not null then 'logged' end as cost_source,
        case when upper(log.level) = 'ERROR' then 'error' else 'success' end as status,
        case
            when upper(log.level) = 'ERROR' then given(attributes."error.type", attributes."exception.type")
        end as error_type,
        case when upper(log.level) = 'ERROR' then given(log.status_message, log.statusMessage) end as error_message,
        case when lower(metadata.cache_hit) in ('true', 'false') then lower(metadata.cache_hit) end as cache_hit,
        -- Langfuse's own calls (evaluators, experiments) are no traffic of the application.
        cast(coalesce(starts_with(given(log.environment, trace.environment), 'langfuse-'), false) as varchar)
            as is_shadow,
        if(question.is_cut or spoken.is_cut, 'true', 'false') as is_cut,
        coalesce(labels_of(log.tags), labels_of(trace.tags), labels_of(metadata.tags)) as tags,
        given(log.updated_at, log.updatedAt) as updated_at
    from priced
),

scores as (
    select
        file,
        line,
        unit,
        case
            when coalesce(given(log.observation_id, log.observationId), given(log.trace_id, log.traceId)) is not null
                then 'feedback'
            -- What a score is about, as the scores of API version 3 say it.
            when log.subject.kind = 'experiment' then 'other'
            when given(log.dataset_run_id, log.datasetRunId) is not null then 'other'
            else 'feedback'
        end as target,
        coalesce(
            given(log.observation_id, log.observationId), given(log.trace_id, log.traceId),
            given(log.session_id, log.sessionId), nullif(log.subject.id, '')
        ) as call_id,
        nullif(log.name, '') as kind,
        nullif(log.timestamp, '') as "at",
        case coalesce(given(upper(log.data_type), upper(log.dataType)), '')
            when 'NUMERIC' then nullif(log.value, '')
            when 'BOOLEAN' then given(log.value, given(log.string_value, log.stringValue))
            when 'CORRECTION' then null
            else coalesce(given(log.string_value, log.stringValue), nullif(log.value, ''))
        end as value,
        case
            when given(upper(log.data_type), upper(log.dataType)) = 'CORRECTION'
                then coalesce(
                    given(log.long_string_value, log.longStringValue), given(log.string_value, log.stringValue),
                    case when log.subject.kind is not null then nullif(log.value, '') end
                )
        end as edited_output,
        nullif(log.comment, '') as comment,
        case when upper(log.source) = 'EVAL' then 'implicit' else 'explicit' end as origin,
        case when nullif(log.name, '') is null then 'no name' end as problem,
        given(log.updated_at, log.updatedAt) as updated_at
    from judged
    where kind = 'score'
),

others as (
    select
        file,
        line,
        unit,
        case when kind is null then 'interaction' else 'other' end as target,
        case
            when kind is null then 'neither an observation (it has no type), nor a score, nor a trace of Langfuse'
        end as problem
    from judged
    where kind is null or kind in ('observation', 'trace')
)

select * from told
union all by name
select * from scores
union all by name
select * from others
