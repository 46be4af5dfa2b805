-- Messages as spans have them (in parts, or in indexed attributes), as plain chat messages.

create or replace temp macro plain_json_once(j) as (
    list_transform([j], lambda given: plain_json(given))[1]
);

-- JSON as the text of a JSON string, whatever it was: OpenAI's arguments of a tool and contents of its answer.
create or replace temp macro json_as_text(j) as (
    case when json_type(j) = 'VARCHAR' then cast(j as varchar) else cast(to_json(cast(j as varchar)) as varchar) end
);

-- The indexed attributes of both conventions (gen_ai.prompt.0.content, llm.input_messages.0.message.content, ...) of
-- a relation of items (number, entries) as chat messages: one row a number, with `asked` and `answered` as JSON lists.
create or replace temp macro otlp_indexed_messages(given) as table (
    with entries as (
        select
            number,
            unnest(list_filter(entries, lambda e: regexp_matches(
                e.key,
                '^(gen_ai\.(prompt|completion)|llm\.(input_messages|output_messages|prompts|completions|choices))\.\d'
            ))) as entry
        from query_table(given)
    ),

    keyed as (
        select
            number,
            entry.json as json,
            regexp_extract(entry.key, '^([a-z_.]+)\.(\d{1,9})\.(.+)$', ['list', 'position', 'field']) as key
        from entries
    ),

    -- message.tool_calls.0.tool_call.function.name and tool_calls.0.name are both tool_calls, 0, name.
    told_apart as (
        select
            number,
            json,
            regexp_matches(key.list, 'completion|output_messages|choices') as is_answer,
            cast(key.position as bigint) as position,
            regexp_extract(
                regexp_replace(
                    key.field,
                    '(^|\.)(?:(?:message|tool_call|function|prompt|completion|message_content)\.)+', '\1', 'g'
                ),
                '^(?:(tool_calls|contents)\.(\d{1,9})\.)?(.+)$', ['list', 'position', 'field']
            ) as key
        from keyed
        where key.position <> ''
    ),

    -- Of each part the fields that need another place, and all of them.
    parts as (
        select
            number,
            is_answer,
            position,
            key.list as list,
            cast(key.position as bigint) as part,
            max(json) filter (where key.field = 'id') as id,
            max(json) filter (where key.field = 'name') as name,
            max(json) filter (where key.field = 'arguments') as arguments,
            max(json) filter (where key.field = 'image.image.url') as image,
            string_agg(to_json(key.field) || ':' || json, ',' order by key.field desc) as everything
        from told_apart
        where key.list <> ''
        group by number, is_answer, position, key.list, cast(key.position as bigint)
    ),

    whole_parts as (
        select
            number,
            is_answer,
            position,
            list,
            part,
            case
                when list = 'tool_calls'
                    then
                        '{' || coalesce('"id":' || id || ',', '') || '"type":"function","function":{"name":'
                        || coalesce(name, 'null') || ',"arguments":' || coalesce(json_as_text(arguments), '""') || '}}'
                when image is not null then '{"type":"image_url","image_url":{"url":' || image || '}}'
                else '{' || everything || '}'
            end as json
        from parts
    ),

    lists as (
        select
            number,
            is_answer,
            position,
            '[' || string_agg(json, ',' order by part) filter (where list = 'tool_calls') || ']' as tool_calls,
            '[' || string_agg(json, ',' order by part) filter (where list = 'contents') || ']' as contents
        from whole_parts
        group by number, is_answer, position
    ),

    fields as (
        select
            number,
            is_answer,
            position,
            max(json) filter (where key.field = 'role') as role,  -- noqa: RF04, the message's own word
            max(json) filter (where key.field in ('content', 'text', 'user')) as content,
            max(json) filter (where key.field = 'name') as name,
            max(json) filter (where key.field = 'tool_call_id') as tool_call_id,
            max(json) filter (where key.field = 'finish_reason') as finish_reason,
            max(json) filter (where key.field in ('reasoning', 'reasoning_content')) as reasoning,
            max(json) filter (where key.field = 'function_call_name') as function_name,
            max(json) filter (where key.field = 'function_call_arguments_json') as function_arguments
        from told_apart
        where key.list = ''
        group by number, is_answer, position
    ),

    messages as (
        select
            number,
            is_answer,
            position,
            '{' || concat_ws(
                ',',
                '"role":' || coalesce(fields.role, if(is_answer, '"assistant"', '"user"')),
                '"content":' || coalesce(fields.content, lists.contents, 'null'),
                '"name":' || fields.name,
                '"tool_call_id":' || fields.tool_call_id,
                '"reasoning_content":' || fields.reasoning,
                '"tool_calls":' || lists.tool_calls,
                '"function_call":{"name":' || fields.function_name || ',"arguments":'
                || coalesce(fields.function_arguments, '""') || '}',
                '"finish_reason":' || fields.finish_reason
            ) || '}' as message
        from fields
        full join lists using (number, is_answer, position)  -- noqa: ST07, a full join wants one key of two
    )

    select
        number,
        '[' || string_agg(message, ',' order by position) filter (where not is_answer) || ']' as asked,
        '[' || string_agg(message, ',' order by position) filter (where is_answer) || ']' as answered
    from messages
    group by number
);

-- GenAI's parts of a message (a list of JSON), each as it stands and with its fields.
create or replace temp macro genai_parts(list) as (
    list_filter(
        list_transform(
            list,
            lambda raw: {
                'raw': raw,
                'has': from_json(
                    case when json_type(raw) = 'OBJECT' then raw end,
                    '{
                        "type": "VARCHAR", "content": "JSON", "text": "JSON", "id": "JSON", "name": "JSON",
                        "arguments": "JSON", "response": "JSON", "result": "JSON", "modality": "VARCHAR", "uri": "JSON"
                    }'
                )
            }
        ),
        lambda p: p.has is not null
    )
);

create or replace temp macro genai_part(p) as (
    case
        when p.has.type = 'text'
            then
                '{"type":"text","text":' || coalesce(cast(coalesce(p.has.content, p.has.text) as varchar), 'null')
                || '}'
        when p.has.type = 'uri' and p.has.modality = 'image'
            then '{"type":"image_url","image_url":{"url":' || coalesce(cast(p.has.uri as varchar), 'null') || '}}'
        else cast(p.raw as varchar)
    end
);

-- The content of a chat message from its parts: a text where all of it is one text, else a list of parts.
create or replace temp macro genai_content(some_parts) as (
    list_transform(
        [some_parts],
        lambda parts: case
            when len(parts) = 0 then 'null'
            when len(parts) = 1 and coalesce(parts[1].has.type, 'text') = 'text'
                then coalesce(cast(coalesce(parts[1].has.content, parts[1].has.text) as varchar), 'null')
            else '[' || array_to_string(list_transform(parts, lambda p: genai_part(p)), ',') || ']'
        end
    )[1]
);

create or replace temp macro genai_tool_call(part) as (
    '{' || coalesce('"id":' || part.id || ',', '') || '"type":"function","function":{"name":'
    || coalesce(part.name, 'null') || ',"arguments":' || coalesce(json_as_text(part.arguments), '""') || '}}'
);

-- A message (its role, parts, and in JSON name and reason to end) as one or more plain chat messages, the JSON texts
-- in a list: each answer of a tool is a message of its own.
create or replace temp macro genai_message(role, name, finish_reason, parts) as (
    list_concat(
        list_transform(
            list_filter(parts, lambda p: p.has.type = 'tool_call_response'),
            lambda p: '{"role":"tool","content":'
            || coalesce(json_as_text(coalesce(p.has.response, p.has.result, p.has.content)), 'null')
            || coalesce(',"tool_call_id":' || p.has.id, '') || '}'
        ),
        case
            when len(parts) = 0 or len(list_filter(parts, lambda p: p.has.type = 'tool_call_response')) < len(parts)
                then [
                    '{"role":' || to_json(role) || ',"content":'
                    || genai_content(
                        list_filter(
                            parts,
                            lambda p: coalesce(p.has.type, 'text')
                            not in ('tool_call', 'tool_call_response', 'reasoning')
                        )
                    )
                    || coalesce(',"name":' || name, '')
                    || coalesce(
                        ',"reasoning_content":'
                        || list_filter(
                            parts, lambda p: p.has.type = 'reasoning' and p.has.content is not null
                        )[1].has.content,
                        ''
                    )
                    || coalesce(
                        ',"tool_calls":[' || nullif(
                            array_to_string(
                                list_transform(
                                    list_filter(parts, lambda p: p.has.type = 'tool_call'),
                                    lambda p: genai_tool_call(p.has)
                                ),
                                ','
                            ),
                            ''
                        ) || ']',
                        ''
                    )
                    || coalesce(',"finish_reason":' || finish_reason, '')
                    || '}'
                ]
            else []
        end
    )
);

create or replace temp macro is_message(j) as (
    coalesce(json_type(j) = 'OBJECT' and len(list_intersect(json_keys(j), ['role', 'content', 'parts'])) > 0, false)
);

-- A list of messages (as JSON, or as JSON in a text) as a JSON list of plain chat messages. What has no parts is plain
-- already; what is no message is the text of one (also where it is JSON: a model may answer in JSON).
create or replace temp macro genai_messages(j, default_role) as (
    list_transform(
        [plain_json_once(j)],
        lambda given: case
            when json_type(given) = 'OBJECT' and is_message(given) then '[' || given || ']'
            when json_type(given) = 'ARRAY' and (json_type(j) = 'ARRAY' or is_message(given -> '$[0]'))
                then
                    '[' || array_to_string(
                        flatten(
                            list_transform(
                                from_json(given, '["JSON"]'),
                                lambda m: list_transform(
                                    [from_json(
                                        case when json_type(m) = 'OBJECT' then m end,
                                        '{
                                            "role": "VARCHAR", "name": "JSON", "finish_reason": "JSON",
                                            "parts": ["JSON"]
                                        }'
                                    )],
                                    lambda has: case
                                        when has.parts is not null
                                            then list_transform(
                                                [genai_parts(has.parts)],
                                                lambda parts: genai_message(
                                                    coalesce(has.role, default_role), has.name, has.finish_reason, parts
                                                )
                                            )[1]
                                        when json_type(m) = 'VARCHAR'
                                            then ['{"role":"' || default_role || '","content":' || m || '}']
                                        else [cast(m as varchar)]
                                    end
                                )[1]
                            )
                        ),
                        ','
                    ) || ']'
            when json_type(given) <> 'NULL'
                then '[{"role":"' || default_role || '","content":' || json_as_text(j) || '}]'
        end
    )[1]
);

-- System instructions (a text, or a list of parts) as a JSON text of one system message; null where there are none.
create or replace temp macro genai_system_message(j) as (
    list_transform(
        [plain_json_once(j)],
        lambda given: case json_type(given)
            when 'VARCHAR' then '{"role":"system","content":' || given || '}'
            when 'ARRAY'
                then '{"role":"system","content":' || genai_content(genai_parts(from_json(given, '["JSON"]'))) || '}'
        end
    )[1]
);

-- The first of what may be a list (as JSON, or as JSON in a text) or one text.
create or replace temp macro first_text(j) as (
    list_transform(
        [plain_json_once(j)],
        lambda given: case json_type(given)
            when 'ARRAY' then given ->> '$[0]'
            when 'OBJECT' then null
            else given ->> '$'
        end
    )[1]
);

-- An assistant's message without the reason for which it ended, which has a column of its own.
create or replace temp macro otlp_answer(message) as (
    case
        when json_type(message) = 'OBJECT' and json_exists(message, '$.finish_reason')
            then json_merge_patch(message, '{"finish_reason": null}')
        else message
    end
);
