-- What the formats share. Times and numbers arrive as text and are cast once, where the record is judged.
create or replace temp macro as_time(t) as (
    case
        when regexp_full_match(t, '\s*-?\d+(\.\d*)?([eE][+-]?\d+)?\s*')
            then
                -- Epochs come in seconds, milliseconds, microseconds or nanoseconds: told apart by their size.
                case
                    when abs(try_cast(t as double)) < 1e11 then to_timestamp(try_cast(t as double))
                    when abs(try_cast(t as double)) < 1e14 then to_timestamp(try_cast(t as double) / 1e3)
                    when abs(try_cast(t as double)) < 1e17 then to_timestamp(try_cast(t as double) / 1e6)
                    when abs(try_cast(t as double)) < 1e20 then to_timestamp(try_cast(t as double) / 1e9)
                end
        else try_cast(t as timestamptz)
    end
);

create or replace temp macro milliseconds_between(a, b) as (
    (epoch_us(as_time(b)) - epoch_us(as_time(a))) / 1000.0
);

create or replace temp macro short_hash(t) as (
    left(sha256(t), 16)
);

-- JSON that was written as a text, as JSON; what is no JSON stays a JSON text.
create or replace temp macro plain_json(j) as (
    case
        when json_type(j) = 'VARCHAR' and json_valid(j ->> '$') then (j ->> '$')::json
        when json_type(j) = 'NULL' then null
        else j
    end
);

-- The text of a message's content: a text, or a list of parts of which the text parts count.
create or replace temp macro text_of(content) as (
    case json_type(content)
        when 'VARCHAR' then content ->> '$'
        when 'ARRAY' then array_to_string(
            list_filter(
                list_transform(
                    from_json(content, '[{"type": "VARCHAR", "text": "VARCHAR"}]'), lambda part: part.text
                ),
                lambda t: t is not null
            ),
            ''
        )
    end
);

-- The text of the last user message; of the last message where there is none from a user.
create or replace temp macro last_user_text(messages) as (
    case json_type(messages)
        when 'VARCHAR' then messages ->> '$'
        when 'ARRAY'
            then
                text_of(
                    coalesce(
                        list_filter(
                            from_json(messages, '[{"role": "VARCHAR", "content": "JSON"}]'), lambda m: m.role = 'user'
                        )[-1],
                        from_json(messages, '[{"role": "VARCHAR", "content": "JSON"}]')[-1]
                    ).content
                )
        when 'OBJECT' then text_of(coalesce(messages -> 'content', messages -> 'prompt'))
    end
);
