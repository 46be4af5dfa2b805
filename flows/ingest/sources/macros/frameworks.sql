-- For logs in which a call's input and output stand as some framework left them.

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

-- The texts of a list of parts, joined, without the reasoning. A part is a text, or an object with its text as
-- `text` (OpenAI, Anthropic, Gemini) or `content` (OpenTelemetry, pydantic-ai).
create or replace temp macro text_of_parts(parts) as (
    nullif(
        array_to_string(
            list_transform(
                from_json(case when json_type(parts) = 'ARRAY' then parts end, '["JSON"]'),
                lambda part: case
                    when json_type(part) = 'VARCHAR' then part ->> '$'
                    when coalesce(part ->> 'type', '') in ('reasoning', 'thinking') or part ->> 'thought' = 'true'
                        then null
                    when json_type(part, 'text') = 'VARCHAR' then part ->> 'text'
                    when part ->> 'type' = 'text' and json_type(part, 'content') = 'VARCHAR' then part ->> 'content'
                end
            ),
            ''
        ),
        ''
    )
);

-- What a message's content says; null where it says nothing.
create or replace temp macro spoken_text(content) as (
    case
        when json_type(content) = 'VARCHAR' then nullif(content ->> '$', '')
        when json_type(content, 'text') = 'VARCHAR' then nullif(content ->> 'text', '')
        else text_of_parts(
            case when json_type(content) = 'ARRAY' then content else json_extract(content, 'parts') end
        )
    end
);

-- The chat role that a framework's name for it means; null for what is none.
create or replace temp macro chat_role(name) as (
    case
        when lower(name) in ('system', 'user', 'assistant', 'tool', 'developer', 'function') then lower(name)
        when lower(name) in ('human', 'humanmessage', 'humanmessagechunk') then 'user'
        when lower(name) in ('ai', 'model', 'aimessage', 'aimessagechunk') then 'assistant'
        when lower(name) in ('systemmessage', 'systemmessagechunk') then 'system'
        when lower(name) in ('toolmessage', 'toolmessagechunk', 'function_call_output') then 'tool'
        when lower(name) in ('function_call', 'reasoning') then 'assistant'
    end
);

-- A list of messages, read once: each as it stands (`raw`) and what its role and content are made of (`m`).
create or replace temp macro read_messages(messages) as (
    list_transform(
        from_json(messages, '["JSON"]'),
        lambda one: {
            'raw': one,
            'm': from_json(
                case when json_type(one) = 'OBJECT' then one end,
                '{
                    "role": "VARCHAR", "type": "VARCHAR", "id": "JSON", "content": "JSON", "parts": "JSON",
                    "kwargs": {"content": "JSON", "tool_calls": "JSON", "tool_call_id": "VARCHAR"},
                    "additional_kwargs": {"tool_calls": "JSON"}, "tool_calls": "JSON", "name": "VARCHAR",
                    "arguments": "VARCHAR", "call_id": "VARCHAR", "output": "JSON", "text": "JSON",
                    "toolCallId": "VARCHAR", "toolName": "VARCHAR", "input": "JSON", "args": "JSON"
                }'
            )
        }
    )
);

-- A tool's call as chat completions write it; the arguments as the text that the model gave.
create or replace temp macro tool_call(id, name, arguments) as (
    json_object('id', id, 'type', 'function', 'function', json_object('name', name, 'arguments', arguments))
);

-- One message of read_messages as a chat message. What has a role and content already stays as it is.
create or replace temp macro chat_message(one) as (
    case
        when json_type(one.raw) <> 'OBJECT' then json_object('role', 'user', 'content', one.raw)
        when chat_role(one.m.role) = one.m.role and one.m.content is not null and one.m.parts is null
            then
                case
                    when one.m.tool_calls is null and json_type(one.m.additional_kwargs.tool_calls) = 'ARRAY'
                        then json_merge_patch(
                            one.raw, json_object('tool_calls', one.m.additional_kwargs.tool_calls)
                        )
                    else one.raw
                end
        when one.m.type = 'function_call'
            then json_object(
                'role', 'assistant', 'content', null,
                'tool_calls', json_array(tool_call(one.m.call_id, one.m.name, one.m.arguments))
            )
        when one.m.type = 'function_call_output'
            then json_object('role', 'tool', 'tool_call_id', one.m.call_id, 'content', one.m.output)
        when one.m.toolName is not null
            then json_object(
                'role', 'assistant', 'content', null,
                'tool_calls',
                json_array(tool_call(one.m.toolCallId, one.m.toolName, written(coalesce(one.m.input, one.m.args))))
            )
        when json_type(one.m.parts) = 'ARRAY'
            then json_merge_patch(
                one.raw,
                json_object(
                    'role', coalesce(chat_role(one.m.role), 'user'), 'content', text_of_parts(one.m.parts)
                )
            )
        when one.m.kwargs.content is not null
            then json_merge_patch(
                json_object(
                    'role', coalesce(chat_role(one.m.id ->> '$[#-1]'), 'user'), 'content', one.m.kwargs.content
                ),
                json_object(
                    'tool_calls',
                    case when json_array_length(one.m.kwargs.tool_calls) > 0 then one.m.kwargs.tool_calls end,
                    'tool_call_id', one.m.kwargs.tool_call_id
                )
            )
        else json_merge_patch(
            one.raw,
            json_object(
                'role', coalesce(chat_role(one.m.role), chat_role(one.m.type), 'user'),
                'content', coalesce(one.m.content, one.m.text)
            )
        )
    end
);

-- Of a list of lists of messages (LangChain writes a batch of one) the first.
create or replace temp macro inner_list(j) as (
    case when json_type(j, '$[0]') = 'ARRAY' then json_extract(j, '$[0]') else j end
);

-- An input's keys under which frameworks put messages or a prompt.
create or replace temp macro read_input(input) as (
    from_json(
        case when json_type(input) = 'OBJECT' then input end,
        '{
            "messages": "JSON", "contents": "JSON", "prompt": "JSON", "input": "JSON", "args": "JSON",
            "role": "VARCHAR", "parts": "JSON", "content": "JSON", "question": "JSON", "query": "JSON",
            "system": "JSON", "systemInstruction": "JSON", "system_instruction": "JSON", "instructions": "JSON"
        }'
    )
);

-- The messages in a call's input (`fields`: of read_input), whatever framework wrote it; null where it has none.
create or replace temp macro messages_in(input, fields) as (
    case
        when json_type(input) = 'ARRAY' then inner_list(input)
        when json_type(fields.messages) = 'ARRAY' then inner_list(fields.messages)
        when json_type(fields.contents) = 'ARRAY' then fields.contents
        when json_type(fields.prompt) = 'ARRAY' then fields.prompt
        when json_type(fields.input) = 'ARRAY' then fields.input
        when json_type(fields.args) = 'ARRAY' then inner_list(fields.args)
        when fields.role is not null or json_type(fields.parts) = 'ARRAY' then json_array(input)
        when json_type(input) = 'OBJECT'
            then json_array(
                json_object(
                    'role', 'user', 'content',
                    coalesce(
                        spoken_text(
                            coalesce(
                                fields.prompt, fields.input, fields.contents, fields.content, fields.question,
                                fields.query
                            )
                        ),
                        input::varchar
                    )
                )
            )
    end
);

-- A list of messages, read for what they say. Chat messages need no more; see is_chat.
create or replace temp macro read_turns(messages) as (
    from_json(
        messages,
        '[{
            "role": "VARCHAR", "content": "JSON", "tool_calls": "JSON", "parts": "JSON", "additional_kwargs": "JSON"
        }]'
    )
);

-- Whether all turns are chat messages as they stand, so that chat_message would change nothing.
create or replace temp macro is_chat(turns) as (
    len(
        list_filter(
            turns,
            lambda turn: turn.role in ('system', 'user', 'assistant', 'tool', 'developer', 'function')
            and turn.content is not null and turn.parts is null and turn.additional_kwargs is null
        )
    ) = len(turns)
);

-- The messages of a conversation that was written down as one text (`system: ...` and lines of `user: ...`).
create or replace temp macro transcript_of(t) as (
    case
        when starts_with(t, 'system: ') or starts_with(t, 'user: ')
            then to_json(
                list_transform(
                    string_split(
                        regexp_replace(
                            t, '(^|\n)(system|user|assistant|tool): ', chr(30) || '\2' || chr(31), 'g'
                        ),
                        chr(30)
                    )[2:],
                    lambda turn: json_object(
                        'role', split_part(turn, chr(31), 1), 'content', split_part(turn, chr(31), 2)
                    )
                )
            )
    end
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
            "trace": "JSON", "observations": "JSON", "scores": "JSON", "corrections": "JSON", "data": "JSON"
        }'
    )
);

-- The first of two texts that is not empty: in CSV what is not there is an empty text.
create or replace temp macro given(a, b) as (
    coalesce(nullif(a, ''), nullif(b, ''))
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
