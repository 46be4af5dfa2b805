{#- The calls of one trace with one input are one turn of its user, and the last of them
    is the answer. -#}
{%- set minutes = 30 -%}

with calls as (
    select * from {{ ref('int_calls') }}
    where session_id is not null
),

-- Windows keep their rows in memory: of texts only what is compared.
shortened as (
    select
        day,
        call_id,
        session_id,
        trace_id,
        route,
        started_at,
        {{ hash_of(normalised_text('input_text')) }} as input_hash,
        substring({{ normalised_text('input_text') }}, 1, 1000) as input_start,
        is_error
        or coalesce(finish_reason in ('length', 'max_tokens'), false)
        or coalesce({{ matches('output_text', refusal_pattern()) }}, false) as is_bad
    from calls
),

placed as (
    select
        *,
        row_number() over (
            partition by day, session_id, route, coalesce(trace_id, call_id), input_hash
            order by started_at desc, call_id desc
        ) as place_from_last
    from shortened
),

turns as (
    select
        *,
        {{ dateadd('minute', minutes, 'started_at') }} as soon_until,
        lead(started_at) over (
            partition by day, session_id, route, input_hash order by started_at, call_id
        ) as same_at,
        lead(started_at) over (partition by day, session_id, route order by started_at, call_id) as next_at,
        lead(input_start) over (partition by day, session_id, route order by started_at, call_id) as next_start,
        lead(call_id) over (partition by day, session_id order by started_at, call_id) is null as is_last
    from placed
    where place_from_last = 1
),

compared as (
    select
        *,
        coalesce(same_at <= soon_until, false) as is_same_soon,
        case
            when next_at <= soon_until and next_start <> input_start
                then {{ likeness('input_start', 'next_start') }}
        end as next_likeness
    from turns
)

select
    day,
    call_id,
    case when input_start is not null then is_same_soon end as asked_again,
    case
        when input_start is not null
            then not is_same_soon and coalesce(next_likeness between 0.6 and 0.99, false)
    end as asked_otherwise,
    is_last and is_bad as abandoned
from compared
