-- The log of a home-grown help desk: one JSON object a call, with names of its own. The shared macros are those of
-- genchi's formats: `question_of` and `answer_of` read a text or messages, and give both messages and text.
with parsed as (
    select
        file,
        line,
        raw::json as log
    from records
)

select
    file,
    line,
    log ->> '$.ticket' as call_id,
    log ->> '$.at' as started_at,
    coalesce(log ->> '$.desk', 'default') as route,
    log ->> '$.bot' as model_served,
    question_of(log -> '$.asked', null, false).text as input_text,
    log ->> '$.said' as output_text,
    log ->> '$.took_ms' as latency_ms,
    case when log ->> '$.ok' = 'false' then 'error' else 'success' end as status
from parsed
