-- OpenTelemetry's spans, log records and metrics in OTLP's JSON (one export request a line, or one span), with the
-- attributes of the GenAI conventions: current names, deprecated names, OpenLLMetry's, and OpenInference's where they
-- say the same.
--
-- A call is a span (or a details event, below) whose operation is known to be a model's call (otel_is_call), and, where
-- no operation is named, one with a request's model or a prompt. What a wrapper says to be a chain, a prompt, a parser
-- or a tool is none, whatever its operation. All else is `other`.
-- `call_id` is the span id: it is what evaluations and log records name. It is 64 random bits, so that the chance of
-- one number twice among the calls of a year is negligible; trace_id is in its own column.
-- Contents in log records (`gen_ai.client.inference.operation.details`, or one record a message in older clients)
-- are put into the span that they name where both are in one file, and the log record counts as `other`. Where the
-- span is elsewhere, they are an interaction with the span's id, whose time is the record's.
-- An evaluation's `call_id` is the span that it stands in or names; where it names a response only, the call with
-- that `gen_ai.response.id` in the same file, or else the response's id (calls carry theirs in `tags`).
-- `input_tokens` counts cached tokens, as the conventions want; where the log shows that the client left them out
-- (more cached than all, or a total that says so), they are added.
-- `route` is the first that is there of: the prompt's name, OpenLLMetry's entity and workflow, workflow, agent.
with items as materialized (
    select
        *,
        case
            when kind = 'log'
                then
                    coalesce(
                        nullif(fields.eventName, ''), fields.event_name, attributes ->> '$."event.name"',
                        attributes ->> '$."event_name"'
                    )
        end as event_name
    from otlp_items('records')
),

events as materialized (
    select * from otlp_events('items')
),

donated as materialized (
    select * from genai_donated('events')
),

-- What may be a call: spans with what events say of them, and events whose span is not here.
completed as (
    select
        items.* exclude (attributes, event_name),  -- noqa: RF02, what is excluded needs no table
        case
            when donated.span_id is null then items.attributes
            else cast(json_merge_patch(donated.attributes, items.attributes) as varchar)
        end as attributes,
        items.kind = 'log' as is_event
    from items
    left join donated on items.span_id = donated.span_id
    where
        items.kind = 'span'
        or donated.first_number = items.number
        and not exists (
            select 1 from items as spans
            where spans.kind = 'span' and spans.span_id = items.span_id
        )
        or items.event_name = 'gen_ai.client.inference.operation.details' and items.span_id is null
),

exceptions as (
    select
        number,
        arg_max(attributes ->> '$."exception.type"', "at") as type,
        arg_max(attributes ->> '$."exception.message"', "at") as message
    from events
    where name in ('exception', 'gen_ai.client.operation.exception') and not is_log
    group by number
),

indexed as (
    select * from otlp_indexed_messages('items')
),

read as materialized (
    select
        completed.* exclude (item, resource),  -- noqa: RF02, what is excluded needs no table
        otlp_unit(completed.kind, completed.resource, completed.item) as unit,
        exceptions.type as exception_type,
        exceptions.message as exception_message,
        indexed.asked,
        indexed.answered,
        from_json(
            completed.attributes,
            '{
                "gen_ai.operation.name": "VARCHAR", "gen_ai.provider.name": "VARCHAR", "gen_ai.system": "VARCHAR",
                "gen_ai.request.model": "VARCHAR", "gen_ai.response.model": "VARCHAR", "gen_ai.response.id": "VARCHAR",
                "gen_ai.response.finish_reasons": "JSON", "gen_ai.response.finish_reason": "JSON",
                "gen_ai.response.stop_reason": "JSON", "llm.response.finish_reason": "JSON",
                "llm.response.stop_reason": "JSON", "llm.finish_reason": "JSON",
                "gen_ai.response.time_to_first_chunk": "VARCHAR", "gen_ai.server.time_to_first_token": "VARCHAR",
                "gen_ai.usage.input_tokens": "VARCHAR", "gen_ai.usage.prompt_tokens": "VARCHAR",
                "gen_ai.usage.output_tokens": "VARCHAR", "gen_ai.usage.completion_tokens": "VARCHAR",
                "gen_ai.usage.total_tokens": "VARCHAR", "llm.usage.total_tokens": "VARCHAR",
                "gen_ai.usage.cache_read.input_tokens": "VARCHAR", "gen_ai.usage.cache_read_input_tokens": "VARCHAR",
                "gen_ai.usage.cache_creation.input_tokens": "VARCHAR",
                "gen_ai.usage.cache_creation_input_tokens": "VARCHAR",
                "gen_ai.usage.cache_write_input_tokens": "VARCHAR",
                "gen_ai.usage.reasoning.output_tokens": "VARCHAR", "gen_ai.usage.reasoning_tokens": "VARCHAR",
                "llm.usage.reasoning_tokens": "VARCHAR", "gen_ai.usage.details.reasoning_tokens": "VARCHAR",
                "gen_ai.usage.details.thoughts_tokens": "VARCHAR", "gen_ai.usage.details.cache_read_tokens": "VARCHAR",
                "gen_ai.client.operation.time_to_first_chunk": "VARCHAR", "gen_ai.usage.cost": "VARCHAR",
                "gen_ai.input.messages": "JSON", "gen_ai.output.messages": "JSON",
                "gen_ai.system_instructions": "JSON", "gen_ai.prompt": "JSON", "gen_ai.completion": "JSON",
                "ai.operationId": "VARCHAR", "ai.prompt.messages": "JSON", "ai.prompt": "JSON",
                "ai.response.text": "JSON", "ai.result.text": "JSON", "ai.response.object": "JSON",
                "ai.result.object": "JSON", "ai.response.toolCalls": "JSON", "ai.result.toolCalls": "JSON",
                "ai.response.finishReason": "JSON", "ai.finishReason": "JSON", "ai.model.id": "VARCHAR",
                "ai.model.provider": "VARCHAR", "ai.response.model": "VARCHAR", "ai.response.id": "VARCHAR",
                "ai.response.msToFirstChunk": "VARCHAR", "ai.stream.msToFirstChunk": "VARCHAR",
                "ai.usage.promptTokens": "VARCHAR", "ai.usage.completionTokens": "VARCHAR",
                "ai.usage.inputTokens": "VARCHAR", "ai.usage.outputTokens": "VARCHAR",
                "ai.usage.cachedInputTokens": "VARCHAR", "ai.usage.reasoningTokens": "VARCHAR",
                "ai.telemetry.functionId": "VARCHAR", "ai.telemetry.metadata.userId": "VARCHAR",
                "ai.telemetry.metadata.user_id": "VARCHAR", "ai.telemetry.metadata.sessionId": "VARCHAR",
                "ai.telemetry.metadata.session_id": "VARCHAR",
                "gcp.vertex.agent.llm_request": "JSON", "gcp.vertex.agent.llm_response": "JSON",
                "gcp.vertex.agent.session_id": "VARCHAR", "request_data": "JSON", "response_data": "JSON",
                "events": "JSON", "input.value": "JSON", "output.value": "JSON",
                "langsmith.span.kind": "VARCHAR", "langsmith.metadata.session_id": "VARCHAR",
                "langsmith.metadata.thread_id": "VARCHAR", "langsmith.metadata.user_id": "VARCHAR",
                "langfuse.observation.type": "VARCHAR", "langfuse.observation.input": "JSON",
                "langfuse.observation.output": "JSON", "langfuse.observation.model.name": "VARCHAR",
                "langfuse.session.id": "VARCHAR", "langfuse.user.id": "VARCHAR",
                "langfuse.observation.usage_details": "JSON", "langfuse.observation.cost_details": "JSON",
                "langfuse.observation.prompt.name": "VARCHAR", "langfuse.observation.prompt.version": "VARCHAR",
                "langfuse.observation.completion_start_time": "JSON", "langfuse.observation.level": "VARCHAR",
                "langfuse.observation.status_message": "VARCHAR", "langfuse.observation.model.parameters": "JSON",
                "langfuse.generation.name": "VARCHAR", "langfuse.trace.name": "VARCHAR",
                "langfuse.environment": "VARCHAR", "langfuse.release": "VARCHAR", "langfuse.version": "VARCHAR",
                "gen_ai.cost.total_cost": "VARCHAR", "operation.cost": "VARCHAR",
                "metadata.user_api_key_end_user_id": "VARCHAR", "metadata.requester_metadata": "VARCHAR",
                "metadata.spend_logs_metadata": "VARCHAR", "metadata.usage_object": "VARCHAR", "ai.response.reasoning": "JSON",
                "mlflow.chat.tokenUsage": "JSON", "mlflow.llm.model": "VARCHAR", "mlflow.llm.provider": "VARCHAR",
                "mlflow.llm.cost": "JSON",
                "lmnr.association.properties.session_id": "VARCHAR",
                "lmnr.association.properties.user_id": "VARCHAR",
                "mlflow.spanType": "VARCHAR", "mlflow.spanInputs": "JSON", "mlflow.spanOutputs": "JSON",
                "lmnr.span.type": "VARCHAR",
                "gen_ai.conversation.id": "VARCHAR", "session.id": "VARCHAR",
                "traceloop.association.properties": "JSON",
                "traceloop.association.properties.session_id": "VARCHAR",
                "traceloop.association.properties.user_id": "VARCHAR",
                "gen_ai.request.user": "VARCHAR", "gen_ai.session.id": "VARCHAR",
                "gen_ai.user": "VARCHAR", "llm.user": "VARCHAR", "user.id": "VARCHAR", "enduser.id": "VARCHAR",
                "gen_ai.prompt.name": "VARCHAR", "gen_ai.prompt.version": "VARCHAR",
                "traceloop.prompt.key": "VARCHAR", "traceloop.prompt.version": "VARCHAR",
                "traceloop.prompt.version_name": "VARCHAR", "traceloop.prompt.version_hash": "VARCHAR",
                "traceloop.entity.name": "VARCHAR", "traceloop.workflow.name": "VARCHAR",
                "traceloop.span.kind": "VARCHAR", "gen_ai.workflow.name": "VARCHAR", "gen_ai.agent.name": "VARCHAR",
                "llm.request.type": "VARCHAR", "openinference.span.kind": "VARCHAR",
                "openai.response.system_fingerprint": "VARCHAR", "openai.response.service_tier": "VARCHAR",
                "gen_ai.openai.response.system_fingerprint": "VARCHAR",
                "gen_ai.openai.response.service_tier": "VARCHAR",
                "gen_ai.openai.system_fingerprint": "VARCHAR", "gen_ai.tool.definitions": "JSON",
                "gen_ai.is_streaming": "JSON", "llm.is_streaming": "JSON", "error.type": "VARCHAR",
                "error.message": "VARCHAR", "exception.type": "VARCHAR", "exception.message": "VARCHAR",
                "deployment.environment.name": "VARCHAR", "deployment.environment": "VARCHAR",
                "gen_ai.evaluation.name": "VARCHAR", "gen_ai.evaluation.score.value": "VARCHAR",
                "gen_ai.evaluation.score.label": "VARCHAR", "gen_ai.evaluation.explanation": "VARCHAR",
                "llm.model_name": "VARCHAR", "llm.provider": "VARCHAR", "llm.token_count.prompt": "VARCHAR",
                "llm.token_count.total": "VARCHAR",
                "llm.token_count.completion": "VARCHAR", "llm.cost.total": "VARCHAR",
                "llm.token_count.prompt_details.cache_read": "VARCHAR",
                "llm.token_count.completion_details.reasoning": "VARCHAR", "llm.system": "VARCHAR"
            }'
        ) as has
    from completed
    left join exceptions on completed.number = exceptions.number
    left join indexed on completed.number = indexed.number
),

judged as materialized (
    select
        *,
        coalesce(
            asked, answered, cast(has."gen_ai.input.messages" as varchar),
            cast(has."gen_ai.output.messages" as varchar), cast(has."gen_ai.prompt" as varchar),
            cast(has."gen_ai.completion" as varchar), cast(has."ai.prompt.messages" as varchar),
            cast(has."gcp.vertex.agent.llm_request" as varchar), cast(has."input.value" as varchar)
        ) is not null as is_worded,
        case
            when problem is not null then true
            -- What a wrapper says of its own span counts for more than the operation that it names.
            when
                upper(coalesce(has."openinference.span.kind", has."langsmith.span.kind", has."lmnr.span.type", 'LLM'))
                <> 'LLM'
                or upper(coalesce(has."langfuse.observation.type", 'GENERATION')) <> 'GENERATION'
                or upper(trim(coalesce(has."mlflow.spanType", 'LLM'), '"')) not in ('LLM', 'CHAT_MODEL')
                or not regexp_matches(coalesce(has."ai.operationId", '.do'), '\.do(Generate|Stream)?$')
                then false
            when has."gen_ai.operation.name" is not null then otel_is_call(has."gen_ai.operation.name")
            when coalesce(
                has."openinference.span.kind", has."langsmith.span.kind", has."ai.operationId", has."lmnr.span.type",
                has."langfuse.observation.type", has."mlflow.spanType"
            ) is not null then true
            when has."traceloop.span.kind" is not null then false
            when has."llm.request.type" is not null then otel_is_call(has."llm.request.type")
            else coalesce(
                has."gen_ai.request.model", has."gen_ai.response.model", cast(has."gen_ai.input.messages" as varchar),
                cast(has."gen_ai.output.messages" as varchar), cast(has."gen_ai.prompt" as varchar), asked, answered
            ) is not null
        end as is_call
    from read
),

-- Langfuse's SDK and MLflow write all counts of tokens into one attribute.
counted as (
    select
        *,
        plain_json_once(has."mlflow.spanInputs") as mlflow_asked,
        plain_json_once(has."mlflow.spanOutputs") as mlflow_said,
        -- litellm writes what is no simple value as Python prints it.
        from_json(
            coalesce(as_json(has."metadata.requester_metadata"), as_json(has."metadata.spend_logs_metadata")),
            '{
                "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR", "session_id": "VARCHAR",
                "prompt_version": "VARCHAR", "user_id": "VARCHAR", "trace_user_id": "VARCHAR"
            }'
        ) as noted,
        -- Some log the response whole, and its counts nowhere else.
        response_usage(
            plain_json_once(
                coalesce(
                    has."gcp.vertex.agent.llm_response", has.response_data, has."mlflow.spanOutputs",
                    has."langfuse.observation.output", has."output.value",
                    cast('{"usage":' || as_json(has."metadata.usage_object") || '}' as json)
                )
            )
        ) as used,
        try_cast(
            plain_json_once(coalesce(has."langfuse.observation.usage_details", has."mlflow.chat.tokenUsage"))
            as map (varchar, varchar)
        ) as counts
    from judged
    where is_call
),

-- Messages and counts under one name each.
named as materialized (
    select
        *,
        as_question(
            cast(coalesce(
                has."gen_ai.input.messages", has."gen_ai.prompt", cast(asked as json),
                has."ai.prompt.messages", has."ai.prompt", has."gcp.vertex.agent.llm_request", has.request_data,
                has.events, has."langfuse.observation.input", mlflow_asked,
                has."input.value"
            ) as varchar),
            cast(has."gen_ai.system_instructions" as varchar)
        ) as question,
        as_answer(
            cast(coalesce(
                has."gen_ai.output.messages", has."gen_ai.completion",
                cast(otlp_answered(answered, has."output.value") as json),
                otel_vercel_answer(has), has."gcp.vertex.agent.llm_response", has.response_data, has.events,
                has."langfuse.observation.output", mlflow_said,
                has."output.value"
            ) as varchar)
        ) as answer,
        coalesce(
            has."gen_ai.usage.input_tokens", has."gen_ai.usage.prompt_tokens", has."llm.token_count.prompt",
            has."ai.usage.inputTokens", has."ai.usage.promptTokens", langfuse_input(counts),
            counts['input_tokens'], counts['prompt_tokens'], used.input
        ) as counted_input,
        coalesce(
            has."gen_ai.usage.output_tokens", has."gen_ai.usage.completion_tokens", has."llm.token_count.completion",
            has."ai.usage.outputTokens", has."ai.usage.completionTokens", langfuse_output(counts),
            counts['output_tokens'], counts['completion_tokens'], used.output
        ) as counted_output,
        coalesce(
            has."gen_ai.usage.cache_read.input_tokens", has."gen_ai.usage.cache_read_input_tokens",
            has."llm.token_count.prompt_details.cache_read", has."ai.usage.cachedInputTokens",
            has."gen_ai.usage.details.cache_read_tokens",
            counts['input_cached_tokens'], counts['input_cache_read'], counts['cache_read_input_tokens'], used.cached
        ) as cached_tokens,
        coalesce(
            has."gen_ai.usage.reasoning.output_tokens", has."gen_ai.usage.reasoning_tokens",
            has."llm.usage.reasoning_tokens", has."llm.token_count.completion_details.reasoning",
            has."ai.usage.reasoningTokens", has."gen_ai.usage.details.reasoning_tokens",
            has."gen_ai.usage.details.thoughts_tokens", used.reasoning
        ) as reasoning_tokens,
        coalesce(
            has."gen_ai.usage.cache_creation.input_tokens", has."gen_ai.usage.cache_creation_input_tokens",
            has."gen_ai.usage.cache_write_input_tokens", counts['cache_creation_input_tokens']
        ) as written_tokens,
        coalesce(
            has."gen_ai.usage.total_tokens", has."llm.usage.total_tokens", has."llm.token_count.total",
            counts['total_tokens']
        ) as total_tokens
    from counted
),

spoken as materialized (
    select
        *,
        otlp_is_error(fields)
        or coalesce(has."error.type", has."exception.type") is not null
        or coalesce(upper(has."langfuse.observation.level") = 'ERROR', false)
        or exception_type is not null and not otlp_is_fine(fields) as has_failed,
        json_of_entries(
            list_transform(
                list_filter(
                    entries,
                    lambda e: regexp_matches(
                        e.key,
                        '^(gen_ai(\.openai)?\.request\.|openai\.request\.|llm\.request\.functions\.'
                        '|gcp\.gen_ai\.operation\.config\.'
                        '|gen_ai\.(output\.type|tool\.definitions|is_streaming)$'
                        '|llm\.(is_streaming|top_k|top_p|temperature|frequency_penalty|presence_penalty'
                        '|chat\.stop_sequences)$)'
                    ) and e.key <> 'gen_ai.request.model'
                ),
                lambda e: {
                    'key': case e.key
                        when 'gen_ai.tool.definitions' then 'tools'
                        when 'gen_ai.output.type' then 'output_type'
                        when 'gen_ai.is_streaming' then 'stream'
                        when 'llm.is_streaming' then 'stream'
                        when 'gen_ai.request.choice.count' then 'n'
                        when 'gen_ai.request.stop_sequences' then 'stop'
                        when 'llm.chat.stop_sequences' then 'stop'
                        else regexp_replace(
                            e.key, '^(gcp\.gen_ai\.operation\.config|(gen_ai(\.openai)?|openai|llm)(\.request)?)\.', ''
                        )
                    end,
                    'json': case
                        when e.key in ('gen_ai.tool.definitions', 'gen_ai.request.structured_output_schema')
                            then cast(plain_json(cast(e.json as json)) as varchar)
                        else e.json
                    end
                }
            )
        ) as params
    from named
),

interactions as (
    select
        file,
        line,
        number,
        'interaction' as target,
        unit,
        problem,
        span_id as call_id,
        -- Two instrumentations may tell of one call, one within the other: one response in one trace.
        trace_id || '/' || coalesce(nullif(has."gen_ai.response.id", ''), nullif(has."ai.response.id", '')) as one_call,
        otlp_id(coalesce(fields.parentSpanId, fields.parent_id)) as parent_id,
        trace_id,
        coalesce(
            has."gen_ai.conversation.id", has."session.id", has."traceloop.association.properties.session_id",
            has."traceloop.association.properties" ->> 'session_id', has."ai.telemetry.metadata.sessionId",
            has."ai.telemetry.metadata.session_id", has."gcp.vertex.agent.session_id",
            has."langsmith.metadata.session_id", has."langsmith.metadata.thread_id", has."langfuse.session.id",
            has."gen_ai.session.id", has."lmnr.association.properties.session_id", noted.session_id,
            service."session.id"
        ) as session_id,
        coalesce(
            has."user.id", has."enduser.id", has."gen_ai.user", has."gen_ai.request.user", has."llm.user",
            has."traceloop.association.properties.user_id", has."traceloop.association.properties" ->> 'user_id',
            has."ai.telemetry.metadata.userId", has."ai.telemetry.metadata.user_id", has."langsmith.metadata.user_id",
            has."langfuse.user.id", has."lmnr.association.properties.user_id",
            nullif(has."metadata.user_api_key_end_user_id", ''), noted.trace_user_id, noted.user_id,
            service."user.id"
        ) as user_key,
        coalesce(
            has."gen_ai.prompt.name", has."traceloop.prompt.key", has."langfuse.observation.prompt.name",
            has."traceloop.entity.name", has."traceloop.workflow.name", has."ai.telemetry.functionId",
            noted.route, has."gen_ai.workflow.name", has."gen_ai.agent.name", has."langfuse.generation.name",
            has."langfuse.trace.name"
        ) as route,
        coalesce(
            service."deployment.environment.name", service."deployment.environment",
            has."deployment.environment.name", has."deployment.environment", has."langfuse.environment",
            noted.environment
        ) as environment,
        coalesce(service."service.version", has."langfuse.release", has."langfuse.version", noted.release) as release,
        coalesce(
            has."gen_ai.prompt.name", has."traceloop.prompt.key", has."langfuse.observation.prompt.name"
        ) as prompt_name,
        coalesce(
            has."gen_ai.prompt.version", has."traceloop.prompt.version", has."traceloop.prompt.version_name",
            has."traceloop.prompt.version_hash", has."langfuse.observation.prompt.version",
            noted.prompt_version
        ) as prompt_version,
        coalesce(
            has."gen_ai.provider.name", has."gen_ai.system", has."llm.provider", has."llm.system",
            has."ai.model.provider", trim(has."mlflow.llm.provider", '"')
        ) as provider,
        coalesce(
            has."gen_ai.request.model", has."llm.model_name", has."ai.model.id", has."langfuse.observation.model.name",
            trim(has."mlflow.llm.model", '"'), mlflow_asked ->> 'model',
            has."gen_ai.response.model"
        ) as model_requested,
        coalesce(
            has."gen_ai.response.model", has."llm.model_name", has."ai.response.model",
            mlflow_said ->> 'model'
        ) as model_served,
        coalesce(
            has."openai.response.system_fingerprint", has."gen_ai.openai.response.system_fingerprint",
            has."gen_ai.openai.system_fingerprint"
        ) as system_fingerprint,
        coalesce(
            nullif(params, '{}'),
            nullif(cast(plain_json_once(has."langfuse.observation.model.parameters") as varchar), '{}')
        ) as params_json,
        question.messages as messages_json,
        question.text as input_text,
        answer.text as output_text,
        answer.message as output_json,
        coalesce(
            first_text(
                coalesce(
                    has."gen_ai.response.finish_reasons", has."gen_ai.response.finish_reason",
                    has."gen_ai.response.stop_reason", has."llm.response.finish_reason",
                    has."llm.response.stop_reason", has."llm.finish_reason", has."ai.response.finishReason",
                    has."ai.finishReason"
                )
            ),
            answer.finish_reason
        ) as finish_reason,
        started_at,
        case when not is_event then milliseconds_between(started_at, ended_at) end as latency_ms,
        coalesce(
            try_cast(coalesce(
                has."gen_ai.response.time_to_first_chunk", has."gen_ai.client.operation.time_to_first_chunk"
            ) as double) * 1000,
            -- The conventions count it in seconds, Strands in milliseconds.
            try_cast(has."gen_ai.server.time_to_first_token" as double)
            * if(coalesce(has."gen_ai.provider.name", has."gen_ai.system", '') = 'strands-agents', 1, 1000),
            try_cast(coalesce(has."ai.response.msToFirstChunk", has."ai.stream.msToFirstChunk") as double),
            milliseconds_between(
                started_at, plain_json_once(has."langfuse.observation.completion_start_time") ->> '$'
            ),
            -- An SDK drops the oldest events of a span that has too many: then the first chunk is not known.
            case
                when coalesce(fields.droppedEventsCount, '0') = '0'
                    then
                        milliseconds_between(
                            started_at,
                            list_filter(
                                fields.events,
                                lambda e: e.name in (
                                    'gen_ai.content.completion.chunk', 'llm.content.completion.chunk',
                                    'First Token Stream Event'
                                )
                            )[1].timeUnixNano
                        )
            end
        ) as ttft_ms,
        otlp_all_input(counted_input, cached_tokens, written_tokens, counted_output, total_tokens) as input_tokens,
        otlp_all_output(counted_output, reasoning_tokens, counted_input, total_tokens) as output_tokens,
        cached_tokens,
        reasoning_tokens,
        coalesce(
            has."gen_ai.usage.cost", has."llm.cost.total", has."gen_ai.cost.total_cost", has."operation.cost",
            plain_json_once(has."langfuse.observation.cost_details") ->> 'total',
            plain_json_once(has."mlflow.llm.cost") ->> 'total_cost'
        ) as cost_usd,
        case when cost_usd is not null then 'logged' end as cost_source,
        coalesce(has."openai.response.service_tier", has."gen_ai.openai.response.service_tier") as price_tier,
        case when has_failed then 'error' else 'success' end as status,
        case
            when has_failed
                then
                    coalesce(
                        regexp_replace(has."error.type", '^<class ''(.*)''>$', '\1'),
                        exception_type,
                        has."exception.type"
                    )
        end as error_type,
        case
            when has_failed
                then
                    coalesce(
                        exception_message, has."exception.message", has."error.message",
                        nullif(fields.status.message, ''), nullif(fields.status.description, ''),
                        nullif(fields.status_message, ''), has."langfuse.observation.status_message"
                    )
        end as error_message,
        'false' as is_shadow,
        if(question.is_cut or answer.is_cut, 'true', 'false') as is_cut,
        otlp_tags(service, entries, coalesce(has."gen_ai.response.id", has."ai.response.id")) as tags
    from spoken
),

calls_by_response as (
    select
        has."gen_ai.response.id" as response_id,
        -- Of several spans of one response the one that is landed: with texts, and the innermost.
        arg_min(span_id, (not is_worded, milliseconds_between(started_at, ended_at), span_id)) as span_id
    from judged
    where is_call and has."gen_ai.response.id" is not null
    group by response_id
),

calls_by_span as (
    select
        span_id,
        bool_or(is_call) as is_call
    from judged
    group by span_id
),

-- What was judged: in an event of the call's span, in a log record, or in a span of the evaluator's own.
judgements as (
    select
        events.number,
        events.span_id,
        events."at",
        events.is_log,
        from_json(
            events.attributes,
            '{
                "gen_ai.evaluation.name": "VARCHAR", "gen_ai.evaluation.score.value": "VARCHAR",
                "gen_ai.evaluation.score.label": "VARCHAR", "gen_ai.evaluation.explanation": "VARCHAR",
                "gen_ai.response.id": "VARCHAR"
            }'
        ) as says
    from events
    where events.name = 'gen_ai.evaluation.result'
    union all
    select
        number,
        case
            when is_call then span_id
            else
                coalesce(
                    otlp_id(fields.links ->> '$[0].spanId'),
                    otlp_id(coalesce(fields.parentSpanId, fields.parent_id)),
                    span_id
                )
        end as span_id,
        coalesce(ended_at, started_at) as "at",
        not is_call as is_log,
        {
            'gen_ai.evaluation.name': has."gen_ai.evaluation.name",
            'gen_ai.evaluation.score.value': has."gen_ai.evaluation.score.value",
            'gen_ai.evaluation.score.label': has."gen_ai.evaluation.score.label",
            'gen_ai.evaluation.explanation': has."gen_ai.evaluation.explanation",
            'gen_ai.response.id': has."gen_ai.response.id"
        } as says
    from judged
    where not is_event
),

feedback as materialized (
    select
        items.file,
        items.line,
        items.number,
        judgements.is_log as is_whole_record,
        'feedback' as target,
        otlp_unit(items.kind, items.resource, items.item) as unit,
        coalesce(
            calls_by_response.span_id,
            case when not spans.is_call then judgements.says."gen_ai.response.id" end,
            judgements.span_id,
            judgements.says."gen_ai.response.id"
        ) as call_id,
        coalesce(judgements.says."gen_ai.evaluation.name", 'evaluation') as kind,
        judgements."at",
        coalesce(
            judgements.says."gen_ai.evaluation.score.value", judgements.says."gen_ai.evaluation.score.label"
        ) as value,
        nullif(
            concat_ws(
                ': ',
                case
                    when judgements.says."gen_ai.evaluation.score.value" is not null
                        then judgements.says."gen_ai.evaluation.score.label"
                end,
                judgements.says."gen_ai.evaluation.explanation"
            ),
            ''
        ) as comment,
        'explicit' as origin
    from judgements
    inner join items on judgements.number = items.number
    left join calls_by_response on judgements.says."gen_ai.response.id" = calls_by_response.response_id
    left join calls_by_span as spans on judgements.span_id = spans.span_id
    where
        coalesce(
            judgements.says."gen_ai.evaluation.score.value", judgements.says."gen_ai.evaluation.score.label",
            judgements.says."gen_ai.evaluation.explanation"
        ) is not null
),

-- What MLflow's trace says was judged of it, or of one of its spans. What was overridden counts no more.
assessed as (
    select
        file,
        line,
        'feedback' as target,
        cast(assessment as varchar) as unit,
        coalesce(
            otlp_id(assessment ->> 'span_id'), regexp_replace(coalesce(assessment ->> 'trace_id', trace_id), '^tr-', '')
        ) as call_id,
        coalesce(nullif(assessment ->> 'assessment_name', ''), 'assessment') as kind,
        coalesce(
            assessment ->> 'last_update_time', assessment ->> 'create_time', assessment ->> 'create_time_ms'
        ) as "at",
        written(json_extract(assessment, '$.feedback.value')) as value,
        nullif(assessment ->> 'rationale', '') as comment,
        if(upper(json_extract_string(assessment, '$.source.source_type')) = 'HUMAN', 'explicit', 'implicit') as origin
    from (
        select
            file,
            line,
            coalesce(raw ->> '$.info.trace_id', raw ->> '$.info.request_id') as trace_id,
            unnest(elements_of(json_extract(raw, '$.info.assessments'))) as assessment
        from records
        where contains(raw, '"assessments"')
    ) as of_traces
    where
        json_type(assessment, '$.feedback.value') <> 'NULL'
        and coalesce(assessment ->> 'valid', 'true') <> 'false'
),

-- Every item that is none of both: no LLM call, or nothing that can be read.
others as (
    select
        file,
        line,
        case when problem is null then 'other' else 'interaction' end as target,
        case when problem is not null then otlp_unit(kind, resource, item) end as unit,
        problem
    from items
    where
        number not in (select number from spoken)  -- noqa: RF02, a subquery of one table
        and number not in (
            select number from feedback  -- noqa: RF02, a subquery of one table
            where is_whole_record  -- noqa: RF02, a subquery of one table
        )
)

select * exclude (number) from interactions
union all by name
select * exclude (number, is_whole_record) from feedback
union all by name
select * from assessed
union all by name
select * from others
