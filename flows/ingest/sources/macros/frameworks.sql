-- For logs in which JSON stands as texts, and texts as JSON.

-- A JSON text without the quotes that it was given a second time (by an export of JSON into CSV, say).
create or replace temp macro unquoted(j) as (
    case
        when json_type(j) = 'VARCHAR' and left(j ->> '$', 1) = '"' and json_valid(j ->> '$')
            then (j ->> '$')::json
        else j
    end
);

-- A JSON object or list, also where it was written as a text; null for plain texts, numbers and the like.
create or replace temp macro structure_of(j) as (
    case
        when json_type(j) in ('OBJECT', 'ARRAY') then j
        when json_type(j) = 'VARCHAR' and ltrim(j ->> '$', e' \t\r\n')[1] in ('{', '[')
            then try_cast(j ->> '$' as json)
    end
);

-- Any JSON as the text that a person would read: texts as they are, the rest as JSON; null for null and ''.
create or replace temp macro written(j) as (
    case json_type(j) when 'VARCHAR' then nullif(j ->> '$', '') when 'NULL' then null else j::varchar end
);

-- A row of Langfuse's with its texts unquoted where they were quoted twice, as an export to CSV leaves them.
create or replace temp macro langfuse_unquoted(raw) as (
    case
        when json_type(raw) = 'OBJECT'
            then
                '{' || array_to_string(
                    list_transform(
                        map_entries(from_json(raw, '"MAP(VARCHAR, JSON)"')),
                        lambda field: (to_json(field.key))::varchar || ':'
                        || (coalesce(unquoted(field.value), 'null'))::varchar
                    ),
                    ','
                ) || '}'
        else raw
    end
);

-- Anything that Langfuse exports, as texts and JSON: its tables' columns, and the public API's spelling of them.
create or replace temp macro langfuse_record(j) as (
    from_json(
        case when json_type(j) = 'OBJECT' then j end,
        '{
            "id": "VARCHAR", "type": "VARCHAR", "name": "VARCHAR", "environment": "VARCHAR", "level": "VARCHAR",
            "version": "VARCHAR", "release": "VARCHAR", "input": "JSON", "output": "JSON", "metadata": "JSON",
            "tags": "JSON", "usage": "JSON", "latency": "VARCHAR", "model": "VARCHAR", "timestamp": "VARCHAR",
            "source": "VARCHAR", "comment": "VARCHAR", "value": "VARCHAR",
            "trace_id": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR",
            "completion_start_time": "VARCHAR", "time_to_first_token": "VARCHAR", "status_message": "VARCHAR",
            "provided_model_name": "VARCHAR", "model_parameters": "JSON", "usage_details": "JSON",
            "cost_details": "JSON", "total_cost": "VARCHAR", "prompt_name": "VARCHAR", "prompt_version": "VARCHAR",
            "user_id": "VARCHAR", "session_id": "VARCHAR", "trace_name": "VARCHAR", "tool_definitions": "JSON",
            "updated_at": "VARCHAR", "observation_id": "VARCHAR", "dataset_run_id": "VARCHAR", "data_type": "VARCHAR",
            "string_value": "VARCHAR", "long_string_value": "VARCHAR",
            "traceId": "VARCHAR", "startTime": "VARCHAR", "endTime": "VARCHAR", "completionStartTime": "VARCHAR",
            "timeToFirstToken": "VARCHAR", "statusMessage": "VARCHAR", "providedModelName": "VARCHAR",
            "modelParameters": "JSON", "usageDetails": "JSON", "costDetails": "JSON", "totalCost": "VARCHAR",
            "calculatedTotalCost": "VARCHAR", "promptName": "VARCHAR", "promptVersion": "VARCHAR",
            "userId": "VARCHAR", "sessionId": "VARCHAR", "traceName": "VARCHAR", "toolDefinitions": "JSON",
            "updatedAt": "VARCHAR", "observationId": "VARCHAR",
            "datasetRunId": "VARCHAR", "dataType": "VARCHAR", "stringValue": "VARCHAR",
            "longStringValue": "VARCHAR", "promptTokens": "VARCHAR", "completionTokens": "VARCHAR",
            "subject": {"kind": "VARCHAR", "id": "VARCHAR", "traceId": "VARCHAR"},
            "trace": "JSON", "observations": "JSON", "scores": "JSON", "corrections": "JSON", "data": "JSON"
        }'
    )
);

-- The first of two texts that is not empty: in CSV what is not there is an empty text.
create or replace temp macro given(a, b) as (
    coalesce(nullif(a, ''), nullif(b, ''))
);

-- A usage object with what stands in objects within it: under the names of both (prompt_tokens_details.cached_tokens),
-- or, where the inner object is the usage itself, under its own.
create or replace temp macro flat_usage(j) as (
    case
        when not regexp_matches(j::varchar, ':\s*\{') or json_type(j) <> 'OBJECT' then j
        else
            json_merge_patch(
                j,
                '{' || array_to_string(
                    flatten(
                        list_transform(
                            list_filter(
                                map_entries(from_json(j, '"MAP(VARCHAR, JSON)"')),
                                lambda outer_one: json_type(outer_one.value) = 'OBJECT'
                            ),
                            lambda outer_one: list_transform(
                                map_entries(from_json(outer_one.value, '"MAP(VARCHAR, JSON)"')),
                                lambda inner_one: (
                                    to_json(
                                        if(
                                            outer_one.key
                                            in ('usage', 'usage_metadata', 'usageMetadata', 'token_usage'),
                                            '', outer_one.key || '.'
                                        ) || inner_one.key
                                    )
                                )::varchar || ':' || inner_one.value::varchar
                            )
                        )
                    ),
                    ','
                ) || '}'
            )
    end
);

-- What an answer says of its tokens: a response of a provider's, or LangChain's message. Null for all else.
create or replace temp macro told_usage(answered) as (
    case
        when json_type(answered) = 'OBJECT'
            then
                coalesce(
                    structure_of(answered -> 'usage_metadata'),
                    structure_of(answered -> '$.response_metadata.usage_metadata'),
                    structure_of(answered -> '$.response_metadata.token_usage'), structure_of(answered -> 'usage'),
                    structure_of(answered -> 'usageMetadata'), structure_of(answered -> '$.llm_output.token_usage')
                )
    end
);

-- A JSON object that is not empty.
create or replace temp macro full_object(j) as (
    case when len(json_keys(j)) > 0 then j end
);

-- The counts of a usage map whose names match `kind` and not `but` (regular expressions on whole names).
create or replace temp macro counts_of(usage, kind, but) as (
    list_transform(
        list_filter(
            map_entries(usage),
            lambda entry: regexp_full_match(entry.key, kind) and not regexp_full_match(entry.key, but)
        ),
        lambda entry: try_cast(entry.value as double)
    )
);

-- A JSON list's elements; none where it is no list.
create or replace temp macro elements_of(j) as (
    coalesce(from_json(case when json_type(j) = 'ARRAY' then j end, '["JSON"]'), [])
);

-- The elements of the first of two lists that has some.
create or replace temp macro full_or(a, b) as (
    case when json_array_length(a) > 0 then elements_of(a) else elements_of(b) end
);

-- Tags as JSON; null where there are none.
create or replace temp macro labels_of(tags) as (
    nullif(nullif(coalesce(structure_of(tags), to_json(written(tags)))::varchar, '[]'), '{}')
);

-- What stands beside an OpenAI request and response, in a line of a batch's files, or in a stored completion.
create or replace temp macro openai_record(j) as (
    from_json(
        case when json_type(j) = 'OBJECT' then j end,
        '{
            "request": "JSON", "response": "JSON", "error": "JSON", "object": "VARCHAR", "data": "JSON",
            "custom_id": "VARCHAR", "url": "VARCHAR", "body": "JSON", "role": "VARCHAR", "id": "VARCHAR",
            "call_id": "VARCHAR", "request_id": "VARCHAR", "trace_id": "VARCHAR", "session_id": "VARCHAR",
            "user": "VARCHAR", "input_user": "VARCHAR", "safety_identifier": "VARCHAR", "route": "VARCHAR",
            "environment": "VARCHAR", "release": "VARCHAR", "prompt_name": "VARCHAR", "prompt_version": "VARCHAR",
            "provider": "VARCHAR", "started_at": "VARCHAR", "latency_ms": "VARCHAR", "ttft_ms": "VARCHAR",
            "cost_usd": "VARCHAR", "cache_hit": "VARCHAR", "tags": "JSON"
        }'
    )
);
