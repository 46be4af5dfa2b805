-- What is common to logs in OTLP's JSON (otel, openinference): their values, their spans and records.

-- A trace's or span's id in lower hexadecimal digits. OTLP's JSON has them so; protobuf's own JSON writes base64, SDKs
-- print 0x in front, and an id of zeros is none.
create or replace temp macro otlp_id(t) as (
    nullif(
        nullif(
            lower(
                case
                    when regexp_full_match(t, '[A-Za-z0-9+/]{11}=|[A-Za-z0-9+/]{22}==') then hex(from_base64(t))
                    when starts_with(t, '0x') then substr(t, 3)
                    else t
                end
            ),
            ''
        ),
        repeat('0', length(t))
    )
);

-- An AnyValue that holds lists or maps, as plain JSON, to any depth and in linear time: by rewriting its text. First,
-- brackets within strings are escaped, so that every bracket left is one of the structure.
create or replace temp macro otlp_unbracketed(t) as (
    list_transform(
        [string_split(replace(replace(t, '\\', '\u005c'), '\"', '\u0022'), '"')],
        lambda pieces: array_to_string(
            list_transform(
                range(1, len(pieces) + 1),
                -- Every second piece is within a string.
                lambda i: case
                    when i % 2 = 0 and regexp_matches(pieces[i], '[\[\]{}]')
                        then
                            replace(
                                replace(replace(replace(pieces[i], '{', '\u007b'), '}', '\u007d'), '[', '\u005b'),
                                ']',
                                '\u005d'
                            )
                    else pieces[i]
                end
            ),
            '"'
        )
    )[1]
);

-- Then the values are taken out of their wrappings: first the scalars, then what opens and what closes.
create or replace temp macro otlp_scalars(t) as (
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(t, '\{"intValue":"(-?(?:0|[1-9]\d*))"\}', '\1', 'g'),
                '\{"(?:string|int|double|bool|bytes)Value":("[^"]*"|[^"{}\[\],]+)\}', '\1', 'g'
            ),
            '\{\}', 'null', 'g'
        ),
        '\{"key":("[^"]*")\}', '{"key":\1,"value":null}', 'g'
    )
);

create or replace temp macro otlp_opened(t) as (
    replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(t, '\{"arrayValue":(?:null|\{"values":(?:null|\[\])\})\}', '[]', 'g'),
                    '\{"kvlistValue":(?:null|\{"values":(?:null|\[\])\})\}', 'null', 'g'
                ),
                '\},\{"key":("[^"]*"),"value":', ',\1:', 'g'
            ),
            '\{"kvlistValue":\{"values":\[\{"key":("[^"]*"),"value":', '{\1:', 'g'
        ),
        '{"arrayValue":{"values":[', '['
    )
);

create or replace temp macro otlp_plain(t) as (
    replace(regexp_replace(otlp_opened(otlp_scalars(otlp_unbracketed(t))), '(\}?)\]\}\}', '\1]', 'g'), '}]', '}')
);

-- The JSON text of a list's or map's value; what is no proper AnyValue stays as it was logged. (Here and below, a list
-- of one and a lambda give a name to what would otherwise be expanded, and computed, several times.)
create or replace temp macro otlp_nested(t) as (
    list_transform([otlp_plain(t)], lambda plain: case when json_valid(plain) then plain else t end)[1]
);

-- The JSON text of an attribute's value; null where it has none.
create or replace temp macro otlp_value(v) as (
    case
        when v.stringValue is not null then cast(to_json(v.stringValue) as varchar)
        when try_cast(otlp_long(v.intValue) as hugeint) is not null
            then cast(try_cast(otlp_long(v.intValue) as hugeint) as varchar)
        when v.boolValue in ('true', 'false') then v.boolValue
        when isfinite(try_cast(v.doubleValue as double)) and json_valid(v.doubleValue) then v.doubleValue
        when coalesce(v.arrayValue, v.kvlistValue) is not null
            then
                otlp_nested(
                    coalesce('{"arrayValue":' || v.arrayValue || '}', '{"kvlistValue":' || v.kvlistValue || '}')
                )
        else cast(to_json(coalesce(v.intValue, v.doubleValue, v.boolValue, v.bytesValue)) as varchar)
    end
);

-- Attributes (a list of key and AnyValue, or a plain object as SDKs print it) as a list of key and JSON text.
create or replace temp macro otlp_entries(attributes) as (
    case json_type(attributes)
        when 'ARRAY'
            then
                list_filter(
                    list_transform(
                        from_json(
                            attributes,
                            '[{"key": "VARCHAR", "value": {
                                "stringValue": "VARCHAR", "intValue": "VARCHAR", "doubleValue": "VARCHAR",
                                "boolValue": "VARCHAR", "bytesValue": "VARCHAR", "arrayValue": "JSON",
                                "kvlistValue": "JSON"
                            }}]'
                        ),
                        lambda a: { 'key': a.key, 'json': otlp_value(a.value) }
                    ),
                    lambda a: a.key is not null and a.json is not null
                )
        when 'OBJECT'
            then
                list_transform(
                    map_entries(from_json(attributes, '"MAP(VARCHAR, JSON)"')),
                    lambda a: { 'key': a.key, 'json': cast(a.value as varchar) }
                )
    end
);

create or replace temp macro json_of_entries(entries) as (
    '{'
    || array_to_string(
        list_transform(entries, lambda e: cast(to_json(e.key) as varchar) || ':' || cast(e.json as varchar)), ','
    )
    || '}'
);

-- A 64-bit integer, which old JavaScript clients write as its two halves, {"low": ..., "high": ...}.
create or replace temp macro otlp_long(t) as (
    case
        when left(t, 1) = '{' and (t ->> '$.high') is not null
            then
                cast(
                    try_cast(t ->> '$.high' as hugeint) * 4294967296
                    + (try_cast(t ->> '$.low' as hugeint) + 4294967296) % 4294967296
                    as varchar
                )
        else t
    end
);

-- OTLP's JSON with the names of its protobuf fields, under the names that its JSON mapping has. A quote within a text
-- is escaped, so that no text is changed.
create or replace temp macro otlp_camel(raw) as (
    list_reduce(  -- noqa: PRS, a lambda of two
        [
            'resource_spans resourceSpans', 'scope_spans scopeSpans', 'resource_logs resourceLogs',
            'scope_logs scopeLogs', 'log_records logRecords', 'resource_metrics resourceMetrics',
            'instrumentation_library_spans instrumentationLibrarySpans', 'string_value stringValue',
            'int_value intValue', 'double_value doubleValue', 'bool_value boolValue', 'bytes_value bytesValue',
            'array_value arrayValue', 'kvlist_value kvlistValue', 'trace_id traceId', 'span_id spanId',
            'parent_span_id parentSpanId', 'start_time_unix_nano startTimeUnixNano',
            'end_time_unix_nano endTimeUnixNano', 'observed_time_unix_nano observedTimeUnixNano',
            'time_unix_nano timeUnixNano', 'event_name eventName', 'dropped_events_count droppedEventsCount'
        ],
        lambda text, names: regexp_replace(
            text, '"' || split_part(names, ' ', 1) || '"(\s*:)', '"' || split_part(names, ' ', 2) || '"\1', 'g'
        ),
        raw
    )
);

create or replace temp macro otlp_line(raw) as (
    from_json(
        raw,
        '{
            "resourceSpans": ["JSON"], "batches": ["JSON"], "resource_spans": "JSON", "resource_logs": "JSON",
            "trace": {"resourceSpans": ["JSON"], "batches": ["JSON"]}, "scope_spans": "JSON",
            "scopeSpans": "JSON", "instrumentationLibrarySpans": "JSON", "spans": ["JSON"], "scope": "JSON",
            "resourceLogs": [{"resource": "JSON", "scopeLogs": [{"logRecords": ["JSON"]}]}], "scopeLogs": "JSON",
            "resourceMetrics": ["JSON"], "data": "JSON", "start_time_unix_nano": "VARCHAR",
            "spanId": "VARCHAR", "span_id": "VARCHAR", "context": {"span_id": "VARCHAR", "spanId": "VARCHAR"},
            "resource": "JSON",
            "observed_timestamp": "VARCHAR", "severity_text": "VARCHAR", "severityNumber": "VARCHAR",
            "observedTimeUnixNano": "VARCHAR"
        }'
    )
);

-- What MLflow's trace says of all of its spans, as attributes of their resource.
create or replace temp macro mlflow_trace(raw) as (
    json_object(
        'session.id', raw -> '$.info.trace_metadata."mlflow.trace.session"',
        'user.id', raw -> '$.info.trace_metadata."mlflow.trace.user"'
    )
);

-- An annotation of a span, as Phoenix's REST interface has it, as a span that carries it; null for anything else.
create or replace temp macro phoenix_annotation(j) as (
    case
        when
            json_extract_string(j, '$.annotator_kind') is not null
            and json_extract_string(j, '$.span_id') is not null
            and json_extract(j, '$.attributes') is null
            then
                json_object(
                    'name', 'annotation',
                    'context', json_object('span_id', json_extract(j, '$.span_id')),
                    'start_time', json_extract(j, '$.created_at'),
                    'end_time', json_extract(j, '$.created_at'),
                    'attributes', json_object(
                        'openinference.span.kind', 'EVALUATOR',
                        'annotation.name', json_extract(j, '$.name'),
                        'annotation.annotator_kind', json_extract(j, '$.annotator_kind'),
                        'annotation.label', json_extract(j, '$.result.label'),
                        'annotation.score', json_extract(j, '$.result.score'),
                        'annotation.explanation', json_extract(j, '$.result.explanation')
                    )
                )
    end
);

-- A line with such an annotation, or with a page of them, with spans in their place; null for any other line.
create or replace temp macro phoenix_annotations(raw) as (
    case
        when json_type(raw, '$.data') = 'ARRAY' and phoenix_annotation(json_extract(raw, '$.data[0]')) is not null
            then
                cast(
                    json_object(
                        'data', list_transform(
                            elements_of(json_extract(raw, '$.data')),
                            lambda one: coalesce(phoenix_annotation(one), one)
                        )
                    ) as varchar
                )
        else cast(phoenix_annotation(cast(raw as json)) as varchar)
    end
);

-- Every span, log record and (one a line) batch of metrics of a relation of records: its JSON as `item`, its fields
-- as `span`, its attributes as `entries` and as one JSON object, and what its resource says. A line is an export
-- request, a ResourceSpans, ScopeSpans or ResourceLogs of one, Tempo's trace, a page of spans ({"data": [...]}),
-- MLflow's trace ({"info": ..., "data": {"spans": [...]}}), one span (also as a row of a data frame), or
-- one log record as the SDKs' console exporters print it.
create or replace temp macro otlp_items(given) as table (
    with unframed as (
        select
            file,
            line,
            case
                when contains(raw, '"context.span_id"') then coalesce(as_span(raw), cast(raw as varchar)) else raw
            end as raw
        from query_table(given)
    ),

    first_read as (
        select
            file,
            line,
            raw,
            otlp_line(raw) as log
        from unframed
    ),

    lines as (
        select
            file,
            line,
            raw,
            case
                when
                    coalesce(
                        log.resource_spans, log.resource_logs, log.scope_spans, cast(log.start_time_unix_nano as json),
                        case when json_type(log.data) = 'OBJECT' then log.data end
                    ) is not null
                    then otlp_line(otlp_camel(raw))
                else log
            end as log
        from first_read
    ),

    requests as (
        select
            file,
            line,
            unnest(
                list_concat(
                    log.resourceSpans, log.batches, log.trace.resourceSpans, log.trace.batches,
                    case
                        when coalesce(log.scopeSpans, log.instrumentationLibrarySpans) is not null
                            then [cast(raw as json)]
                        when len(log.spans) > 0 then [json_object('scopeSpans', json_array(cast(raw as json)))]
                        when json_array_length(log.data) > 0
                            then [json_object('scopeSpans', json_array(json_object('spans', log.data)))]
                        when json_array_length(log.data -> 'spans') > 0
                            then
                                [
                                    json_object(
                                        'resource', json_object('attributes', mlflow_trace(raw)),
                                        'scopeSpans', json_array(log.data)
                                    )
                                ]
                    end
                )
            ) as r
        from lines
    ),

    batches as (
        select
            file,
            line,
            from_json(
                r,
                '{
                    "resource": "JSON", "scopeSpans": [{"spans": ["JSON"]}],
                    "instrumentationLibrarySpans": [{"spans": ["JSON"]}]
                }'
            ) as r
        from requests
    ),

    resources as (
        select
            file,
            line,
            'span' as kind,
            r.resource,
            list_transform(list_concat(r.scopeSpans, r.instrumentationLibrarySpans), lambda s: s.spans) as scopes
        from batches
        union all
        select
            file,
            line,
            'log' as kind,
            r.resource,
            list_transform(r.scopeLogs, lambda s: s.logRecords) as scopes
        from (
            select
                file,
                line,
                unnest(log.resourceLogs) as r
            from lines
        ) as of_logs
        union all
        select
            file,
            line,
            case
                when
                    coalesce(
                        log.observed_timestamp, log.severity_text, log.severityNumber, log.observedTimeUnixNano
                    ) is not null
                    then 'log'
                else 'span'
            end as kind,
            log.resource,
            [[cast(raw as json)]] as scopes
        from lines
        where coalesce(log.spanId, log.span_id, log.context.span_id, log.context.spanId) is not null
        union all
        select
            file,
            line,
            'metric' as kind,
            null as resource,
            [[cast('{}' as json)]] as scopes
        from lines
        where len(log.resourceMetrics) > 0
    ),

    read_resources as (
        select
            file,
            line,
            kind,
            resource,
            scopes,
            from_json(
                json_of_entries(otlp_entries(resource -> 'attributes')),
                '{
                    "service.name": "VARCHAR", "service.version": "VARCHAR", "deployment.environment.name": "VARCHAR",
                    "deployment.environment": "VARCHAR", "session.id": "VARCHAR", "user.id": "VARCHAR"
                }'
            ) as service
        from resources
    ),

    items as (
        select
            file,
            line,
            kind,
            resource,
            service,
            unnest(flatten(scopes)) as item
        from read_resources
    ),

    read_items as (
        select
            file,
            line,
            kind,
            resource,
            service,
            item,
            from_json(
                case when json_type(item) = 'OBJECT' then item end,
                '{
                    "traceId": "VARCHAR", "trace_id": "VARCHAR", "spanId": "VARCHAR", "span_id": "VARCHAR",
                    "name": "VARCHAR", "context": {
                        "trace_id": "VARCHAR", "span_id": "VARCHAR", "traceId": "VARCHAR", "spanId": "VARCHAR"
                    },
                    "parentSpanId": "VARCHAR", "parent_id": "VARCHAR",
                    "event_name": "VARCHAR", "timestamp": "VARCHAR", "observed_timestamp": "VARCHAR",
                    "status_code": "VARCHAR", "status_message": "VARCHAR", "span_kind": "VARCHAR",
                    "startTimeUnixNano": "VARCHAR", "start_time": "VARCHAR", "endTimeUnixNano": "VARCHAR",
                    "end_time": "VARCHAR", "timeUnixNano": "VARCHAR", "observedTimeUnixNano": "VARCHAR",
                    "attributes": "JSON", "droppedEventsCount": "VARCHAR", "links": "JSON", "body": "JSON",
                    "eventName": "VARCHAR",
                    "events": [
                        {"name": "VARCHAR", "timeUnixNano": "VARCHAR", "timestamp": "VARCHAR", "attributes": "JSON"}
                    ],
                    "status": {"code": "VARCHAR", "status_code": "VARCHAR", "message": "VARCHAR", "description": "VARCHAR"}
                }'
            ) as fields  -- noqa: RF04, it is what they are
        from items
    ),

    read_attributes as (
        -- Phoenix's REST interface takes the kind of a span out of its attributes.
        select
            *,
            case
                when fields.span_kind is null or json_exists(fields.attributes, '$."openinference.span.kind"')
                    then otlp_entries(fields.attributes)
                else
                    list_append(
                        coalesce(otlp_entries(fields.attributes), []),
                        { 'key': 'openinference.span.kind', 'json': cast(to_json(fields.span_kind) as varchar) }
                    )
            end as entries
        from read_items
    )

    select
        file,
        line,
        row_number() over () as number,
        kind,
        resource,
        service,
        item,
        fields,
        entries,
        coalesce(json_of_entries(entries), '{}') as attributes,
        otlp_id(
            coalesce(fields.traceId, fields.trace_id, fields.context.trace_id, fields.context.traceId)
        ) as trace_id,
        otlp_id(
            coalesce(fields.spanId, fields.span_id, fields.context.span_id, fields.context.spanId)
        ) as span_id,
        coalesce(
            nullif(
                otlp_long(
                    coalesce(fields.startTimeUnixNano, fields.start_time, fields.timeUnixNano, fields.timestamp)
                ),
                '0'
            ),
            otlp_long(fields.observedTimeUnixNano), fields.observed_timestamp
        ) as started_at,
        nullif(otlp_long(coalesce(fields.endTimeUnixNano, fields.end_time)), '0') as ended_at,
        case
            when kind = 'metric' then null
            when coalesce(json_type(item), 'NULL') <> 'OBJECT'
                then 'a ' || replace(kind, 'log', 'log record') || ' that is no JSON object'
            when json_type(fields.attributes) not in ('ARRAY', 'OBJECT', 'NULL')
                then 'attributes: a JSON ' || lower(json_type(fields.attributes)) || ', expected a list'
        end as problem
    from read_attributes
);

create or replace temp macro otlp_is_error(span) as (
    coalesce(
        upper(coalesce(span.status.code, span.status.status_code, span.status_code))
        in ('2', 'STATUS_CODE_ERROR', 'ERROR'),
        false
    )
);

create or replace temp macro otlp_is_fine(span) as (
    coalesce(
        upper(coalesce(span.status.code, span.status.status_code, span.status_code))
        in ('1', 'STATUS_CODE_OK', 'OK'),
        false
    )
);

-- What has no column of its own and helps to find and to slice calls: the service, the response's id, and the short
-- attributes that are the application's own (those of no convention).
create or replace temp macro otlp_tags(service, entries, response_id) as (
    nullif(
        json_of_entries(
            list_concat(
                list_filter(
                    [
                        { 'key': 'service.name', 'json': cast(to_json(service."service.name") as varchar) },
                        { 'key': 'response_id', 'json': cast(to_json(response_id) as varchar) }
                    ],
                    lambda e: e.json <> 'null'
                ),
                list_transform(
                    list_filter(
                        entries,
                        lambda e: length(e.json) <= 200
                        and not regexp_matches(
                            e.key,
                            '^((gen_ai|llm|openai|openinference|input|output|http|url|net|network|server|client|code'
                            '|thread|error|exception|telemetry|otel|rpc|db|message|tool|tool_call|embedding|retrieval'
                            '|reranker|document|image|audio|aws|azure|az|peer|user_agent)\.'
                            '|traceloop\.(span|entity|workflow|prompt|correlation)'
                            '|traceloop\.association\.properties\.(session_id|user_id)$'
                            '|(session|user|enduser)\.id$|metadata$|tag\.tags$|event\.name$|prompt\.'
                            '|(trace\.|session\.)?(annotations?|evaluations?)\.'
                            '|ai\.(model|prompt|response|result|usage|settings|request|stream|operationId|finishReason'
                            '|toolCall|telemetry\.(functionId|metadata\.(user|session)(_id|Id)))'
                            '|(operation|resource)\.name$|operation\.cost$|gcp\.vertex\.agent\.'
                            '|langfuse\.((observation|user|session|generation|trace|internal)\.'
                            '|(environment|release|version)$)'
                            '|metadata\.(user_api_key_(end_user_id|user_id|user_email)|usage_object'
                            '|(requester|spend_logs)_metadata)$|hidden_params$'
                            '|langsmith\.(span|trace|metadata\.(user|session|thread)_id)|mlflow\.|lmnr\.|logfire\.'
                            '|gcp\.gen_ai\.|(request_data|response_data|events|model_request_parameters)$)'
                        )
                    ),
                    lambda e: {
                        'key': regexp_replace(
                            e.key, '^(traceloop\.association\.properties|(ai\.telemetry|langsmith)\.metadata)\.', ''
                        ),
                        'json': e.json
                    }
                )
            )
        ),
        '{}'
    )
);

-- One span or log record as a line of a log, with what its resource says.
create or replace temp macro otlp_unit(kind, resource, item) as (
    case
        when kind = 'log'
            then
                '{"resourceLogs":[{"resource":' || coalesce(cast(resource as varchar), 'null')
                || ',"scopeLogs":[{"logRecords":[' || coalesce(cast(item as varchar), 'null') || ']}]}]}'
        else
            '{"resourceSpans":[{"resource":' || coalesce(cast(resource as varchar), 'null')
            || ',"scopeSpans":[{"spans":[' || coalesce(cast(item as varchar), 'null') || ']}]}]}'
    end
);

-- The tokens of the whole input. Some clients log what providers count apart from the cache; the log shows it where
-- more was cached than there was, or where the total is the sum of all.
create or replace temp macro otlp_all_input(input, cache_read, cache_write, output, total) as (
    list_transform(
        [coalesce(try_cast(cache_read as double), 0) + coalesce(try_cast(cache_write as double), 0)],
        lambda cached: case
            when
                cached > 0
                and (
                    cached > try_cast(input as double)
                    or try_cast(total as double)
                    = try_cast(input as double) + cached + try_cast(output as double)
                )
                then cast(try_cast(input as double) + cached as varchar)
            else input
        end
    )[1]
);

-- The tokens of the whole output, likewise: some count apart what was reasoned (Gemini's thoughts).
create or replace temp macro otlp_all_output(output, reasoning, input, total) as (
    case
        when
            try_cast(reasoning as double) > 0
            and (
                try_cast(reasoning as double) > try_cast(output as double)
                or try_cast(total as double)
                = try_cast(input as double) + try_cast(output as double) + try_cast(reasoning as double)
            )
            then cast(try_cast(output as double) + try_cast(reasoning as double) as varchar)
        else output
    end
);

-- What a response that was logged whole says of its tokens: OpenAI's, Anthropic's, Bedrock's, Gemini's and LangChain's
-- counts, as texts, where input and output count all. Null where the JSON is no object.
create or replace temp macro response_usage(j) as (
    list_transform(
        [
            from_json(
                case when json_type(j) = 'OBJECT' then j end,
                '{
                    "usage": {
                        "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR", "input_tokens": "VARCHAR",
                        "output_tokens": "VARCHAR", "inputTokens": "VARCHAR", "outputTokens": "VARCHAR",
                        "cache_read_input_tokens": "BIGINT", "cache_creation_input_tokens": "BIGINT",
                        "cacheReadInputTokens": "BIGINT", "cacheWriteInputTokens": "BIGINT",
                        "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                        "input_tokens_details": {"cached_tokens": "VARCHAR"},
                        "completion_tokens_details": {"reasoning_tokens": "VARCHAR"},
                        "output_tokens_details": {"reasoning_tokens": "VARCHAR"}
                    },
                    "llm_output": {"token_usage": {"prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR"}},
                    "usage_metadata": {
                        "prompt_token_count": "VARCHAR", "candidates_token_count": "BIGINT",
                        "thoughts_token_count": "BIGINT", "cached_content_token_count": "VARCHAR"
                    },
                    "usageMetadata": {
                        "promptTokenCount": "VARCHAR", "candidatesTokenCount": "BIGINT",
                        "thoughtsTokenCount": "BIGINT", "cachedContentTokenCount": "VARCHAR"
                    }
                }'
            )
        ],
        lambda told: {
            'input': coalesce(
                told.usage.prompt_tokens,
                cast(
                    try_cast(coalesce(told.usage.input_tokens, told.usage.inputTokens) as bigint)
                    -- Anthropic and Bedrock count apart from the input what was in the cache.
                    + coalesce(told.usage.cache_read_input_tokens, told.usage.cacheReadInputTokens, 0)
                    + coalesce(told.usage.cache_creation_input_tokens, told.usage.cacheWriteInputTokens, 0)
                    as varchar
                ),
                told.usage_metadata.prompt_token_count, told.usageMetadata.promptTokenCount,
                told.llm_output.token_usage.prompt_tokens
            ),
            'output': coalesce(
                told.usage.completion_tokens, told.usage.output_tokens, told.usage.outputTokens,
                cast(
                    told.usage_metadata.candidates_token_count + coalesce(told.usage_metadata.thoughts_token_count, 0)
                    as varchar
                ),
                cast(
                    told.usageMetadata.candidatesTokenCount + coalesce(told.usageMetadata.thoughtsTokenCount, 0)
                    as varchar
                ),
                told.llm_output.token_usage.completion_tokens
            ),
            'cached': coalesce(
                told.usage.prompt_tokens_details.cached_tokens, told.usage.input_tokens_details.cached_tokens,
                cast(told.usage.cache_read_input_tokens as varchar), cast(told.usage.cacheReadInputTokens as varchar),
                told.usage_metadata.cached_content_token_count, told.usageMetadata.cachedContentTokenCount
            ),
            'reasoning': coalesce(
                told.usage.completion_tokens_details.reasoning_tokens,
                told.usage.output_tokens_details.reasoning_tokens,
                cast(told.usage_metadata.thoughts_token_count as varchar),
                cast(told.usageMetadata.thoughtsTokenCount as varchar)
            )
        }
    )[1]
);

-- OpenInference's definitions of tools (llm.tools.0.tool.json_schema), as a JSON list.
create or replace temp macro otlp_tools(entries) as (
    '[' || nullif(
        array_to_string(
            list_transform(
                list_filter(entries, lambda e: regexp_full_match(e.key, 'llm\.tools\.\d+\.tool\.json_schema')),
                lambda e: cast(plain_json(cast(e.json as json)) as varchar)
            ),
            ','
        ),
        ''
    ) || ']'
);

-- The answer of a call by Vercel's AI SDK, as one JSON object; null where the span is none of its.
create or replace temp macro otel_vercel_answer(has) as (
    case
        when
            coalesce(
                has."ai.response.toolCalls", has."ai.result.toolCalls", has."ai.response.text", has."ai.result.text",
                has."ai.response.object", has."ai.result.object"
            ) is not null
            then json_object(
                'text',
                coalesce(
                    has."ai.response.text", has."ai.result.text", has."ai.response.object", has."ai.result.object"
                ),
                'toolCalls', coalesce(has."ai.response.toolCalls", has."ai.result.toolCalls", '[]'),
                'reasoning', has."ai.response.reasoning"
            )
    end
);

-- All input or output tokens of Langfuse's counts, of which each has a token in one count only; null where they are
-- not counted so.
create or replace temp macro langfuse_input(counts) as (
    case
        when counts['input'] is not null
            then cast(list_sum(counts_of(counts, 'input|input_.*', 'input_tokens')) as varchar)
    end
);

create or replace temp macro langfuse_output(counts) as (
    case
        when counts['output'] is not null
            then cast(list_sum(counts_of(counts, 'output|output_.*', 'output_tokens')) as varchar)
    end
);

-- Whether a GenAI operation is a model's call: the conventions' names, and those of frameworks (Semantic Kernel's
-- chat.completions, litellm's acompletion). What is not known to be one is none.
create or replace temp macro otel_is_call(operation) as (
    regexp_full_match(
        lower(operation),
        'chat|generate_content|text_completion|messages?|response|generate_text|inference|converse(_stream)?|llm'
        '|(chat|text)[._](streaming_)?completions?|completions?|a?(completion|text_completion|responses)'
        '|(chat|llm|message)[._](generate|create|generation|stream)|anthropic_messages|a?generate_content(_stream)?'
    )
);
