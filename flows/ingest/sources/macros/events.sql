-- Events of GenAI's conventions: within spans, and log records, which are events too.

-- Of a relation of items (see otlp_items): every event within a span, and every log record that is an event.
create or replace temp macro otlp_events(given) as table (
    select
        number,
        span_id,
        e.name,
        coalesce(e.timeUnixNano, e.timestamp) as "at",
        json_of_entries(otlp_entries(e.attributes)) as attributes,
        null as body,
        false as is_log
    from (
        select
            number,
            span_id,
            unnest(fields.events) as e
        from query_table(given)
        where kind = 'span'
    ) as spans
    where e.name not in ('gen_ai.content.completion.chunk', 'llm.content.completion.chunk')
    union all
    select
        number,
        span_id,
        event_name as name,
        started_at as "at",
        attributes,
        -- The console exporters print the body as plain JSON.
        coalesce(
            cast(otlp_value(
                from_json(
                    fields.body,
                    '{
                        "stringValue": "VARCHAR", "intValue": "VARCHAR", "doubleValue": "VARCHAR",
                        "boolValue": "VARCHAR", "bytesValue": "VARCHAR", "arrayValue": "JSON", "kvlistValue": "JSON"
                    }'
                )
            ) as json),
            case when json_type(fields.body) = 'OBJECT' and len(json_keys(fields.body)) > 0 then fields.body end
        ) as body,
        true as is_log
    from query_table(given)
    where kind = 'log' and event_name is not null
);

-- Several objects as one; the later counts where they differ.
create or replace temp macro json_of_all(objects) as (
    list_reduce(objects, lambda earlier, later: json_merge_patch(earlier, later))  -- noqa: PRS, a lambda of two
);

-- All that a relation of events says of one span, as attributes of it; `first_number` is the log record that stands
-- for it alone.
create or replace temp macro genai_donated(given) as table (
    with spoken_of as (
        select
            number,
            span_id,
            name,
            "at",
            is_log,
            attributes,
            -- Azure's clients put the whole of an event into one attribute, as a text.
            coalesce(
                body, plain_json_once(cast(attributes as json) -> '$."gen_ai.event.content"'), cast(attributes as json)
            ) as says,
            case
                when name = 'gen_ai.client.inference.operation.details' then 'details'
                when name in ('gen_ai.choice', 'gen_ai.content.completion') then 'answered'
                when name in (
                    'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message',
                    'gen_ai.content.prompt'
                ) then 'asked'
            end as part
        from query_table(given)
        where span_id is not null
    ),

    told as materialized (
        select
            *,
            case
                when
                    name in ('gen_ai.content.prompt', 'gen_ai.content.completion')
                    -- litellm's log records have the message itself as their body.
                    and coalesce(says -> '$."gen_ai.prompt"', says -> '$."gen_ai.completion"') is not null
                    then
                        case
                            when part = 'asked'
                                then as_question(cast(says -> '$."gen_ai.prompt"' as varchar), null).messages
                            else '[' || as_answer(cast(says -> '$."gen_ai.completion"' as varchar)).message || ']'
                        end
                when part in ('asked', 'answered') and json_type(says) = 'OBJECT'
                    then
                        '[' || json_merge_patch(
                            json_object(
                                'role',
                                coalesce(
                                    nullif(regexp_extract(name, '^gen_ai\.([a-z]+)\.message$', 1), ''), 'assistant'
                                )
                            ),
                            case
                                when json_type(says -> 'message') = 'OBJECT' then says -> 'message'
                                when json_type(plain_json_once(says -> 'message')) = 'OBJECT'
                                    then plain_json_once(says -> 'message')
                                when json_type(says -> 'message') = 'VARCHAR'
                                    then json_object('content', says -> 'message')
                                else says
                            end,
                            json_object(
                                'finish_reason', says -> 'finish_reason', 'index', null, 'gen_ai.system', null,
                                'id', null, 'tool_call_id',
                                case
                                    when name = 'gen_ai.tool.message'
                                        then coalesce(says -> 'id', says -> 'tool_call_id')
                                end
                            )
                        ) || ']'
            end as messages
        from spoken_of
        where part is not null
    )

    select
        span_id,
        min(number) filter (where is_log) as first_number,
        json_merge_patch(
            json_object(
                'gen_ai.input.messages',
                case
                    when count(messages) filter (where part = 'asked') > 0
                        then
                            cast(
                                '[' || string_agg(substr(messages, 2, length(messages) - 2), ',' order by "at", number)
                                filter (where part = 'asked' and length(messages) > 2) || ']' as json
                            )
                end,
                'gen_ai.output.messages',
                case
                    when count(messages) filter (where part = 'answered') > 0
                        then
                            cast(
                                '[' || string_agg(substr(messages, 2, length(messages) - 2), ',' order by "at", number)
                                filter (where part = 'answered' and length(messages) > 2) || ']' as json
                            )
                end
            ),
            coalesce(
                json_of_all(list(cast(attributes as json) order by "at", number) filter (where part = 'details')),
                '{}'
            )
        ) as attributes
    from told
    group by span_id
);
