-- What the formats share. Times and numbers arrive as text and are cast once, where the record is judged.
-- Written for speed: a JSON text tells its kind by its first character, and is parsed once or not at all.
-- The same without Jackson's, .NET's and Unicode's.
create or replace temp macro as_written_time(t) as (
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
                            '^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (.*[0-9]{2}:)', '\1'
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
                    '%Y/%m/%d %H:%M:%S.%f%z', '%Y.%m.%d %H:%M:%S%z', '%Y%m%d%H%M%S%z', '%Y-%m-%d %I:%M:%S %p%z',
                    '%B %d, %Y %I:%M:%S %p%z', '%b %d, %Y %I:%M:%S %p%z', '%d %B %Y %H:%M:%S%z'
                ]
            )
        )
    )[1]
);

-- A time that DuckDB does not read as it stands: with a zone's name behind its offset (Go, Java), with a comma before
-- its fraction, with Unicode's minus, in ISO's basic form, or as RFC 2822, C, Apache, JavaScript, Jackson (a list of
-- its parts) and .NET (/Date(...)/) write it. Null for all else.
create or replace temp macro as_spelled_time(t) as (
    case
        when left(t, 1) = '['
            then
                try_strptime(
                    regexp_replace(
                        t, '^\[(\d{4}), ?(\d+), ?(\d+), ?(\d+), ?(\d+)(?:, ?(\d+))?.*\]$', '\1 \2 \3 \4 \5 \6'
                    ),
                    ['%Y %m %d %H %M %S', '%Y %m %d %H %M ']
                )::timestamptz
        when contains(t, 'Date(')
            then
                to_timestamp(
                    try_cast(regexp_extract(t, '^/?Date\((\d{9,14})(?:[+-]\d{4})?\)/?$', 1) as double) / 1e3
                )
        else as_written_time(replace(t, '−', '-'))
    end
);

create or replace temp macro as_time(t) as (
    -- Epochs come in seconds, milliseconds, microseconds or nanoseconds: their size tells which.
    case
        when length(t) = 14 and regexp_full_match(t, '20\d{12}') then as_written_time(t)
        when abs(try_cast(t as double)) < 1e11 then to_timestamp(try_cast(t as double))
        when try_cast(t as double) is null then coalesce(try_cast(t as timestamptz), as_spelled_time(t))
        when abs(try_cast(t as double)) < 1e14 then to_timestamp(try_cast(t as double) / 1e3)
        when abs(try_cast(t as double)) < 1e17 then to_timestamp(try_cast(t as double) / 1e6)
        when abs(try_cast(t as double)) < 1e20 then to_timestamp(try_cast(t as double) / 1e9)
    end
);

-- Whether a time is one, and one in which there were logs.
create or replace temp macro is_time(t) as (
    coalesce(as_time(t) between '1990-01-01'::timestamptz and latest_time(), false)
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

-- Messages are read by as_question and as_answer (see flows/ingest/map/conversations.py). Most are plain chat messages,
-- which those functions leave as they are; for these, and for these only, the macros below say the same, in SQL.

-- The turns of a list of messages, with every field by which another framework's messages are known.
create or replace temp macro chat_turns(messages) as (
    from_json(
        case when left(messages, 1) = '[' then messages end,
        '[{
            "role": "VARCHAR", "content": "VARCHAR", "parts": "VARCHAR", "kwargs": "VARCHAR", "data": "VARCHAR",
            "additional_kwargs": "VARCHAR", "event.name": "VARCHAR"
        }]'
    )
);

-- Whether a text may be JSON, or begins with space, or is empty: the function looks at it. A list of so many values
-- after `in` would be a join.
create or replace temp macro may_be_json(t) as (
    contains(e'[{" \t\r\n', left(t, 1))
);

-- `turns`: chat_turns of `messages`.
create or replace temp macro are_plain(turns, messages) as (
    coalesce(len(turns), 0) > 0
    and len(
        list_filter(
            turns,
            lambda turn: turn.role in ('system', 'user', 'assistant', 'tool', 'developer', 'function')
            and not may_be_json(turn.content)
            and turn.parts is null and turn.kwargs is null and turn.data is null and turn.additional_kwargs is null
            and turn."event.name" is null
        )
    ) = len(turns)
    and not contains(messages, 'runcated')
    and not contains(turns[-1].content, 'RUNCATED')
);

-- What the last user said (where no user speaks, the last turn).
create or replace temp macro last_words(turns) as (
    case
        when turns[-1].role = 'user' then turns[-1].content
        else coalesce(list_filter(turns, lambda turn: turn.role = 'user')[-1].content, turns[-1].content)
    end
);

-- An assistant's message, with every field by which one that is no plain chat message is known.
create or replace temp macro said_in(message) as (
    from_json(
        case when left(message, 1) = '{' then message end,
        '{
            "role": "VARCHAR", "content": "VARCHAR", "parts": "VARCHAR", "kwargs": "VARCHAR", "data": "VARCHAR",
            "additional_kwargs": "VARCHAR", "finish_reason": "VARCHAR", "stop_reason": "VARCHAR",
            "messages": "VARCHAR"
        }'
    )
);

-- `said`: said_in of `message`.
create or replace temp macro is_plain(said, message) as (
    coalesce(
        said.role = 'assistant'
        and (
            not may_be_json(said.content)
            or left(said.content, 1) = '{' and json_type(message, '$.content') = 'VARCHAR'
        )
        and said.parts is null and said.kwargs is null and said.data is null and said.additional_kwargs is null
        and said.finish_reason is null and said.stop_reason is null and said.messages is null
        and not starts_with(said.content, '<think>')
        and not contains(said.content, 'runcated') and not contains(said.content, 'RUNCATED'),
        false
    )
);

-- What as_question and as_answer say where it is not plain; null where it is, for then nothing is to be said.
create or replace temp macro question_of(messages, instructions, is_plain) as (
    case when not is_plain then as_question(messages::varchar, instructions::varchar) end
);

create or replace temp macro answer_of(message, is_plain) as (
    case when not is_plain then as_answer(message::varchar) end
);
