-- genchi's own format: JSONL with the columns of `interactions` as keys; a record with a `kind` is feedback.
with parsed as (
    select
        file,
        line,
        from_json(
            raw,
            '{
                "call_id": "VARCHAR", "trace_id": "VARCHAR", "session_id": "VARCHAR", "user_key": "VARCHAR",
                "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR", "prompt_name": "VARCHAR",
                "prompt_version": "VARCHAR", "provider": "VARCHAR", "model_requested": "VARCHAR",
                "model_served": "VARCHAR", "system_fingerprint": "VARCHAR", "params_json": "JSON",
                "messages_json": "JSON", "messages": "JSON", "input_text": "VARCHAR", "output_text": "VARCHAR",
                "output_json": "JSON", "finish_reason": "VARCHAR", "started_at": "VARCHAR",
                "latency_ms": "VARCHAR", "ttft_ms": "VARCHAR", "input_tokens": "VARCHAR",
                "output_tokens": "VARCHAR", "cached_tokens": "VARCHAR", "reasoning_tokens": "VARCHAR",
                "cost_usd": "VARCHAR", "cost_source": "VARCHAR", "status": "VARCHAR", "error_type": "VARCHAR",
                "error_message": "VARCHAR", "cache_hit": "VARCHAR", "is_shadow": "VARCHAR", "tags": "JSON",
                "is_cut": "VARCHAR",
                "kind": "VARCHAR", "at": "VARCHAR", "value": "VARCHAR", "comment": "VARCHAR",
                "edited_output": "VARCHAR", "origin": "VARCHAR"
            }'
        ) as log
    from records
),

unwrapped as (
    -- *_json columns may hold JSON, or JSON as text.
    select
        file,
        line,
        log,
        coalesce(plain_json(log.messages_json), log.messages) as asked,
        plain_json(log.output_json) as answered
    from parsed
),

turned as (
    select
        *,
        chat_turns(asked) as turns,
        said_in(answered) as said
    from unwrapped
),

marked as (
    select
        *,
        are_plain(turns, asked) as asks_plainly,
        is_plain(said, answered) as says_plainly
    from turned
),

read as (
    select
        *,
        question_of(asked, null, asks_plainly) as question,
        answer_of(answered, says_plainly) as answer
    from marked
)

select
    file,
    line,
    case when log.kind is not null then 'feedback' else 'interaction' end as target,
    log.call_id as call_id,
    log.trace_id as trace_id,
    log.session_id as session_id,
    log.user_key as user_key,
    log.route as route,
    log.environment as environment,
    log.release as release,
    log.prompt_name as prompt_name,
    log.prompt_version as prompt_version,
    log.provider as provider,
    coalesce(log.model_requested, log.model_served) as model_requested,
    coalesce(log.model_served, log.model_requested) as model_served,
    log.system_fingerprint as system_fingerprint,
    plain_json(log.params_json) as params_json,
    case when asks_plainly then asked else question.messages end as messages_json,
    coalesce(log.input_text, case when asks_plainly then last_words(turns) else question.text end) as input_text,
    coalesce(log.output_text, case when says_plainly then said.content else answer.text end) as output_text,
    case when says_plainly then answered else answer.message end as output_json,
    log.finish_reason as finish_reason,
    log.started_at as started_at,
    log.latency_ms as latency_ms,
    log.ttft_ms as ttft_ms,
    log.input_tokens as input_tokens,
    log.output_tokens as output_tokens,
    log.cached_tokens as cached_tokens,
    log.reasoning_tokens as reasoning_tokens,
    log.cost_usd as cost_usd,
    coalesce(log.cost_source, case when log.cost_usd is not null then 'logged' end) as cost_source,
    case
        when log.status is null then case when log.error_type is not null then 'error' else 'success' end
        when lower(log.status) in ('success', 'ok') then 'success'
        when lower(log.status) in ('error', 'failure', 'failed') then 'error'
    end as status,
    case
        -- A pattern, for DuckDB makes a join of a list of so many words.
        when not regexp_full_match(lower(log.status), 'success|ok|error|failure|failed') then 'status'
    end as unreadable,
    log.error_type as error_type,
    log.error_message as error_message,
    log.cache_hit as cache_hit,
    coalesce(log.is_shadow, 'false') as is_shadow,
    plain_json(log.tags) as tags,
    coalesce(log.is_cut, if(question.is_cut or answer.is_cut, 'true', 'false')) as is_cut,
    log.kind as kind,
    log.at as "at",
    log.value as value,
    log.comment as comment,
    log.edited_output as edited_output,
    log.origin as origin,
    case
        when log.call_id is null then 'no call_id'
        when log.kind is null and asked is null and log.input_text is null
            then 'none of messages, messages_json and input_text is given'
    end as problem
from read
