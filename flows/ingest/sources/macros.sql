-- What the formats share. Times and numbers arrive as text and are cast once, where the record is judged.
-- Written for speed: a JSON text tells its kind by its first character, and is parsed once or not at all.
create or replace temp macro as_time(t) as (
    -- Epochs come in seconds, milliseconds, microseconds or nanoseconds: told apart by their size.
    case
        when abs(try_cast(t as double)) < 1e11 then to_timestamp(try_cast(t as double))
        when try_cast(t as double) is null then try_cast(t as timestamptz)
        when abs(try_cast(t as double)) < 1e14 then to_timestamp(try_cast(t as double) / 1e3)
        when abs(try_cast(t as double)) < 1e17 then to_timestamp(try_cast(t as double) / 1e6)
        when abs(try_cast(t as double)) < 1e20 then to_timestamp(try_cast(t as double) / 1e9)
    end
);

create or replace temp macro milliseconds_between(a, b) as (
    (epoch_us(as_time(b)) - epoch_us(as_time(a))) / 1000.0
);

-- The kind of a JSON text: the first character that is no space. One of { [ " t f n, or a digit or minus.
create or replace temp macro json_starts(j) as (
    left(ltrim(left(j, 64), e' \t\r\n'), 1)
);

-- JSON that was written as a text, as JSON; what is no JSON stays a JSON text.
create or replace temp macro plain_json(j) as (
    case json_starts(j)
        when '"' then case when json_valid(j ->> '$') then (j ->> '$')::json else j end
        when 'n' then null
        else j
    end
);

-- The text of a message's content: a text, or a list of parts of which the text parts count.
create or replace temp macro text_of(content) as (
    case json_starts(content)
        when '"' then content ->> '$'
        when '['
            then
                array_to_string(
                    list_filter(
                        list_transform(
                            from_json(
                                content,
                                '[{
                                    "type": "VARCHAR", "text": "VARCHAR", "thought": "VARCHAR",
                                    "transcript": "VARCHAR"
                                }]'
                            ),
                            lambda part: case
                                when
                                    coalesce(part.type, '') not in ('reasoning', 'thinking')
                                    and coalesce(part.thought, '') <> 'true'
                                    then coalesce(part.text, part.transcript)
                            end
                        ),
                        lambda t: t is not null
                    ),
                    ''
                )
    end
);

-- What an assistant's message says: its content, the transcript of its audio, or its refusal.
create or replace temp macro said_text(message) as (
    coalesce(
        text_of(json_extract(message, '$.content')),
        json_extract_string(message, '$.audio.transcript'),
        json_extract_string(message, '$.refusal')
    )
);

-- The content of the last user message (of the last message where there is none from a user), as JSON.
create or replace temp macro last_user_content(messages) as (
    list_transform(
        [from_json(messages, '[{"role": "VARCHAR", "content": "JSON"}]')],
        lambda said: coalesce(list_filter(said, lambda m: m.role = 'user')[-1], said[-1]).content
    )[1]
);

-- The text of the last user message; of the last message where there is none from a user.
create or replace temp macro last_user_text(messages) as (
    case json_starts(messages)
        when '"' then messages ->> '$'
        when '[' then text_of(last_user_content(messages))
        when '{' then text_of(coalesce(messages -> 'content', messages -> 'prompt'))
    end
);
