-- What the formats share. Times and numbers arrive as text and are cast once, where the record is judged.
-- Written for speed: a JSON text tells its kind by its first character, and is parsed once or not at all.
-- A time that DuckDB does not read as it stands: with a zone's name behind its offset (Go, Java), with a comma before
-- its fraction, in ISO's basic form, or as RFC 2822, C, Apache and JavaScript write it. Null for all else.
create or replace temp macro as_spelled_time(t) as (
    list_transform(
        [
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                regexp_replace(trim(t), '\s*(\[[^\]]*\]|\([^)]*\)|m=[+-][0-9.]+)$', ''),
                                '(:[0-9]{2}),([0-9])', '\1.\2'
                            ),
                            '^[A-Za-z]{3,9},? (.*[0-9]{2}:)', '\1'
                        ),
                        '([+-][0-9]{2}:?[0-9]{2}) [A-Z]{2,5}$', '\1'
                    ),
                    '\s*(?:GMT|UTC|UT|Z)?\s*([+-][0-9]{2}:?[0-9]{2})$', '\1'
                ),
                '\s*(?:GMT|UTC|UT|Z)(\s[0-9]{4})?$', '\1+0000'
            )
        ],
        lambda plain: coalesce(
            try_cast(plain as timestamptz),
            try_strptime(
                if(regexp_matches(plain, '[+-][0-9]{2}:?[0-9]{2}$'), plain, plain || '+0000'),
                [
                    '%Y%m%dT%H%M%S%z', '%Y%m%dT%H%M%S.%f%z', '%d %b %Y %H:%M:%S%z', '%b %d %H:%M:%S %Y%z',
                    '%b %d %Y %H:%M:%S%z', '%d-%b-%y %H:%M:%S%z', '%d/%b/%Y:%H:%M:%S%z', '%Y/%m/%d %H:%M:%S%z',
                    '%Y/%m/%d %H:%M:%S.%f%z'
                ]
            )
        )
    )[1]
);

create or replace temp macro as_time(t) as (
    -- Epochs come in seconds, milliseconds, microseconds or nanoseconds: their size tells which.
    case
        when abs(try_cast(t as double)) < 1e11 then to_timestamp(try_cast(t as double))
        when try_cast(t as double) is null then coalesce(try_cast(t as timestamptz), as_spelled_time(t))
        when abs(try_cast(t as double)) < 1e14 then to_timestamp(try_cast(t as double) / 1e3)
        when abs(try_cast(t as double)) < 1e17 then to_timestamp(try_cast(t as double) / 1e6)
        when abs(try_cast(t as double)) < 1e20 then to_timestamp(try_cast(t as double) / 1e9)
    end
);

-- A route is a job, not a run of it: ids of runs (UUIDs, ULIDs, long numbers in hexadecimal or decimal, ids with a
-- prefix) are taken out of its name. Null where nothing is left.
create or replace temp macro route_of(name) as (
    nullif(
        trim(
            regexp_replace(
                name,
                '[\s._:/#@-]*[({\[]?\b('
                '[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}|[0-9a-f]{16,}'
                '|[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9]{9,}'
                '|(run|thread|call|task|trace|session|sess|req|asst|resp|msg|conv)[_-][A-Za-z0-9]*[0-9][A-Za-z0-9]{7,}'
                ')\b[)}\]]?',
                '', 'g'
            ),
            ' ._:/#@-'
        ),
        ''
    )
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
