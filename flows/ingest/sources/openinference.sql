-- OpenInference's spans in OTLP's JSON (one export request a line, or one span): flattened attributes llm.*,
-- input.*, output.*, and those of the GenAI conventions where they say the same.
--
-- A call is a span of kind LLM. All other kinds are `other`, but for spans that carry annotations or evaluations.
-- `call_id` is the span id, which annotations name; it is 64 random bits, and trace_id is in its own column.
-- Feedback: each annotation and evaluation on a span is one, about that span, or about the span that it links to
-- where it is no call and has one link (a carrier). Those of a trace or session have the trace's or the session's id
-- as `call_id`: they join on interactions.trace_id and session_id, for no single call was meant. What a model or code
-- says is implicit. Several of one name on one span (of two annotators, say) are a microsecond apart, as they are
-- several signals, and a signal is known by its call, kind and time.
-- Annotations as Phoenix's REST interface lists them, alone or a page of them, are read as spans that carry them.
-- `model_requested` and the tokens' details are taken from the request and the answer where a client logged these
-- as input.value and output.value. `route` is the prompt's id, the agent's name, or the graph node's.
with annotated as (  -- noqa: ST03, otlp_items reads it by its name
    select
        file,
        line,
        case when contains(raw, '"annotator_kind"') then coalesce(phoenix_annotations(raw), raw) else raw end as raw
    from records
),

items as materialized (
    select * from otlp_items('annotated')
),

indexed as (
    select * from otlp_indexed_messages('items')
),

exceptions as (
    select
        number,
        arg_max(attributes ->> '$."exception.type"', "at") as type,
        arg_max(attributes ->> '$."exception.message"', "at") as message
    from (
        select
            number,
            coalesce(e.timeUnixNano, e.timestamp) as "at",
            json_of_entries(otlp_entries(e.attributes)) as attributes
        from (
            select
                number,
                unnest(fields.events) as e
            from items
            where kind = 'span'
        ) as within_spans
        where e.name = 'exception'
    ) as thrown
    group by number
),

read as materialized (
    select
        items.* exclude (item, resource),  -- noqa: RF02, what is excluded needs no table
        otlp_unit(items.kind, items.resource, items.item) as unit,
        exceptions.type as exception_type,
        exceptions.message as exception_message,
        indexed.asked,
        indexed.answered,
        from_json(
            items.attributes,
            '{
                "openinference.span.kind": "VARCHAR", "session.id": "VARCHAR", "user.id": "VARCHAR",
                "llm.provider": "VARCHAR", "llm.system": "VARCHAR", "llm.model_name": "VARCHAR",
                "llm.request.model_name": "VARCHAR", "llm.response.model_name": "VARCHAR",
                "llm.invocation_parameters": "JSON", "llm.finish_reason": "JSON", "llm.input_messages": "JSON",
                "llm.output_messages": "JSON", "llm.token_count.prompt": "VARCHAR",
                "llm.token_count.completion": "VARCHAR", "llm.token_count.prompt_details.cache_read": "VARCHAR",
                "llm.token_count.prompt_details.cache_write": "VARCHAR", "llm.token_count.total": "VARCHAR",
                "llm.token_count.completion_details.reasoning": "VARCHAR", "llm.cost.total": "VARCHAR",
                "llm.cost.prompt": "VARCHAR", "llm.cost.completion": "VARCHAR",
                "llm.prompt_template.version": "VARCHAR", "prompt.id": "VARCHAR", "prompt.vendor": "VARCHAR",
                "prompt.url": "VARCHAR", "agent.name": "VARCHAR", "graph.node.name": "VARCHAR",
                "input.value": "JSON", "input.mime_type": "VARCHAR", "output.value": "JSON",
                "output.mime_type": "VARCHAR", "metadata": "JSON", "tag.tags": "JSON", "llm.function_call": "JSON",
                "exception.type": "VARCHAR", "exception.message": "VARCHAR", "error.type": "VARCHAR",
                "deployment.environment.name": "VARCHAR", "deployment.environment": "VARCHAR",
                "gen_ai.operation.name": "VARCHAR", "gen_ai.provider.name": "VARCHAR", "gen_ai.system": "VARCHAR",
                "gen_ai.request.model": "VARCHAR", "gen_ai.response.model": "VARCHAR", "gen_ai.response.id": "VARCHAR",
                "gen_ai.response.finish_reasons": "JSON", "gen_ai.usage.input_tokens": "VARCHAR",
                "gen_ai.usage.output_tokens": "VARCHAR", "gen_ai.conversation.id": "VARCHAR",
                "gen_ai.input.messages": "JSON", "gen_ai.output.messages": "JSON", "gen_ai.prompt.name": "VARCHAR"
            }'
        ) as has
    from items
    left join exceptions on items.number = exceptions.number
    left join indexed on items.number = indexed.number
),

judged as (
    select
        *,
        case
            when problem is not null then true
            when kind <> 'span' then false
            when has."openinference.span.kind" is not null then upper(has."openinference.span.kind") = 'LLM'
            else coalesce(has."gen_ai.operation.name" in ('chat', 'text_completion', 'generate_content'), false)
        end as is_call
    from read
),

-- The request and the answer where they were logged whole, and the parameters of the request.
wholes as materialized (
    select
        *,
        case when json_type(plain_json_once(has."input.value")) = 'OBJECT' then plain_json_once(has."input.value") end
            as request,
        from_json(
            case
                when json_type(plain_json_once(has."output.value")) = 'OBJECT'
                    then plain_json_once(has."output.value")
            end,
            '{
                "id": "VARCHAR", "model": "VARCHAR", "system_fingerprint": "VARCHAR",
                "choices": [{"finish_reason": "VARCHAR", "message": "JSON"}]
            }'
        ) as response,
        response_usage(plain_json_once(has."output.value")) as used,
        plain_json_once(has."llm.invocation_parameters") as parameters,
        otlp_tools(entries) as tools
    from judged
    where is_call
),

spoken as materialized (
    select
        *,
        otlp_is_error(fields)
        or has."exception.type" is not null
        or coalesce(exception_type, has."error.type") is not null and not otlp_is_fine(fields) as has_failed,
        as_question(
            cast(coalesce(
                cast(asked as json), has."llm.input_messages", has."gen_ai.input.messages", has."input.value"
            ) as varchar),
            null
        ) as question,
        as_answer(
            cast(coalesce(
                cast(otlp_answered(answered, has."output.value") as json), has."llm.output_messages",
                has."gen_ai.output.messages",
                case
                    when has."output.mime_type" = 'application/json' then plain_json_once(has."output.value")
                    else has."output.value"
                end
            ) as varchar)
        ) as answer
    from wholes
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
        trace_id || '/' || nullif(coalesce(has."gen_ai.response.id", response.id), '') as one_call,
        otlp_id(coalesce(fields.parentSpanId, fields.parent_id)) as parent_id,
        trace_id,
        coalesce(has."session.id", has."gen_ai.conversation.id", service."session.id") as session_id,
        coalesce(
            has."user.id", parameters ->> 'safety_identifier', parameters ->> 'user', service."user.id"
        ) as user_key,
        coalesce(has."prompt.id", has."gen_ai.prompt.name", has."agent.name", has."graph.node.name") as route,
        coalesce(
            service."deployment.environment.name", service."deployment.environment",
            has."deployment.environment.name", has."deployment.environment"
        ) as environment,
        service."service.version" as release,
        coalesce(has."prompt.id", has."gen_ai.prompt.name") as prompt_name,
        has."llm.prompt_template.version" as prompt_version,
        coalesce(
            has."llm.provider", has."llm.system", has."gen_ai.provider.name", has."gen_ai.system"
        ) as provider,
        coalesce(
            has."llm.request.model_name", has."gen_ai.request.model", parameters ->> 'model', request ->> 'model',
            has."llm.model_name"
        ) as model_requested,
        coalesce(
            has."llm.response.model_name", has."gen_ai.response.model", response.model,
            case when not has_failed then has."llm.model_name" end
        ) as model_served,
        response.system_fingerprint as system_fingerprint,
        case
            when json_type(parameters) = 'OBJECT' or tools is not null
                then
                    nullif(
                        cast(json_merge_patch(
                            coalesce(case when json_type(parameters) = 'OBJECT' then parameters end, '{}'),
                            '{"model": null, "messages": null}',
                            coalesce('{"tools":' || tools || '}', '{}')
                        ) as varchar),
                        '{}'
                    )
        end as params_json,
        question.messages as messages_json,
        question.text as input_text,
        answer.text as output_text,
        answer.message as output_json,
        coalesce(
            first_text(coalesce(has."llm.finish_reason", has."gen_ai.response.finish_reasons")),
            response.choices[1].finish_reason, answer.finish_reason
        ) as finish_reason,
        started_at,
        milliseconds_between(started_at, ended_at) as latency_ms,
        milliseconds_between(
            started_at,
            list_filter(fields.events, lambda e: e.name = 'First Token Stream Event')[1].timeUnixNano
        ) as ttft_ms,
        otlp_all_input(
            coalesce(has."llm.token_count.prompt", has."gen_ai.usage.input_tokens", used.input),
            has."llm.token_count.prompt_details.cache_read",
            has."llm.token_count.prompt_details.cache_write",
            coalesce(has."llm.token_count.completion", has."gen_ai.usage.output_tokens", used.output),
            has."llm.token_count.total"
        ) as input_tokens,
        otlp_all_output(
            coalesce(has."llm.token_count.completion", has."gen_ai.usage.output_tokens", used.output),
            has."llm.token_count.completion_details.reasoning",
            has."llm.token_count.prompt",
            has."llm.token_count.total"
        ) as output_tokens,
        coalesce(has."llm.token_count.prompt_details.cache_read", used.cached) as cached_tokens,
        coalesce(has."llm.token_count.completion_details.reasoning", used.reasoning) as reasoning_tokens,
        coalesce(
            has."llm.cost.total",
            cast(try_cast(has."llm.cost.prompt" as double) + try_cast(has."llm.cost.completion" as double) as varchar)
        ) as cost_usd,
        case
            when coalesce(has."llm.cost.total", has."llm.cost.prompt" || has."llm.cost.completion") is not null
                then 'logged'
        end as cost_source,
        case when has_failed then 'error' else 'success' end as status,
        case when has_failed then coalesce(exception_type, has."exception.type", has."error.type") end as error_type,
        case
            when has_failed
                then
                    coalesce(
                        exception_message, has."exception.message",
                        nullif(fields.status.message, ''), nullif(fields.status.description, ''),
                        nullif(fields.status_message, '')
                    )
        end as error_message,
        'false' as is_shadow,
        if(question.is_cut or answer.is_cut, 'true', 'false') as is_cut,
        nullif(
            cast(json_merge_patch(
                coalesce(otlp_tags(service, entries, coalesce(response.id, has."gen_ai.response.id")), '{}'),
                json_object('tags', has."tag.tags", 'metadata', plain_json_once(has.metadata))
            ) as varchar),
            '{}'
        ) as tags
    from spoken
),

-- Annotations and evaluations, which are indexed (annotations.0.annotation.name), or the only one of a span
-- (annotation.name).
marks as (
    select
        number,
        entry.json ->> '$' as said,
        regexp_extract(
            entry.key,
            '^(?:(trace|session)\.)?(annotation|evaluation)s?\.(?:(\d{1,9})\.(?:annotation|evaluation)\.)?([a-z_]+)$',
            ['scope', 'list', 'position', 'field']
        ) as key
    from (
        select
            number,
            unnest(list_filter(
                entries, lambda e: regexp_matches(e.key, '^((trace|session)\.)?(annotation|evaluation)s?\.')
            )) as entry
        from items
        where kind = 'span'
    ) as indexed_marks
),

judgements as (
    select
        number,
        key.scope as scope,
        max(said) filter (where key.field = 'name') as name,
        max(said) filter (where key.field = 'score') as score,
        max(said) filter (where key.field = 'label') as label,
        max(said) filter (where key.field = 'explanation') as explanation,
        max(said) filter (where key.field = 'annotator_kind') as annotator_kind,
        -- How many of its name stand before it on the span.
        row_number() over (
            partition by number, key.scope, max(said) filter (where key.field = 'name')
            order by key.list, try_cast(key.position as integer)
        ) - 1 as earlier
    from marks
    where key.list <> ''
    group by number, key.scope, key.list, key.position
),

feedback as materialized (
    select
        judged.file,
        judged.line,
        judged.number,
        'feedback' as target,
        judged.unit,
        case
            when judgements.scope = 'trace'
                then coalesce(otlp_id(judged.fields.links ->> '$[0].traceId'), judged.trace_id)
            when judgements.scope = 'session' then coalesce(judged.has."session.id", judged.service."session.id")
            when judged.is_call then judged.span_id
            else coalesce(otlp_id(judged.fields.links ->> '$[0].spanId'), judged.span_id)
        end as call_id,
        coalesce(judgements.name, 'annotation') as kind,
        case
            when judgements.earlier = 0 then coalesce(judged.ended_at, judged.started_at)
            else
                coalesce(
                    cast(
                        as_time(coalesce(judged.ended_at, judged.started_at)) + to_microseconds(judgements.earlier)
                        as varchar
                    ),
                    judged.ended_at, judged.started_at
                )
        end as "at",
        coalesce(judgements.score, judgements.label) as value,
        nullif(
            concat_ws(
                ': ', case when judgements.score is not null then judgements.label end, judgements.explanation
            ),
            ''
        ) as comment,
        case when upper(judgements.annotator_kind) in ('LLM', 'CODE') then 'implicit' else 'explicit' end as origin
    from judgements
    inner join judged on judgements.number = judged.number
    where coalesce(judgements.score, judgements.label, judgements.explanation) is not null
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
        and number not in (select number from feedback)  -- noqa: RF02, a subquery of one table
)

select * exclude (number) from interactions
union all by name
select * exclude (number) from feedback
union all by name
select * from others
