-- Messages that spans have in indexed attributes, as a list of JSON; `as_question` and `as_answer` read what they hold.

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
    split_keys as (
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
        from split_keys
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
        from split_keys
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
                -- agno's reasoning is among the parts alone, its answer in both.
                '"content":'
                || coalesce(
                    case when contains(lists.contents, '"type":"reasoning"') then lists.contents end,
                    fields.content, lists.contents, 'null'
                ),
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

-- The answer of indexed attributes; where it has several texts, and the message logged whole beside it has one,
-- that message: smolagents' instrumentation puts what was reasoned behind the answer, as a text like any other.
create or replace temp macro otlp_answered(answered, whole) as (
    case
        when
            contains(answered, '"content":[')
            and json_array_length(answered, '$[0].content') > 1
            and not contains(answered, '"type":"reasoning"')
            and json_type(plain_json_once(whole), '$.content') = 'VARCHAR'
            then cast(json_array(plain_json_once(whole)) as varchar)
        else answered
    end
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
