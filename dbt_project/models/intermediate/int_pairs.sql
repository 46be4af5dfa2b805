{#- Beyond these limits a number of a log is wrong, and its square would not fit into an exact sum. -#}
{%- set limits = {'latency_ms': 1e9, 'input_tokens': 1e9, 'output_tokens': 1e9, 'cost_usd': 1e5} -%}

with calls as (
    select * from {{ ref('int_calls') }}
    where not is_cache_hit
),

examples as (
    select * from {{ ref('stg_examples') }}
    -- An expected label does not show the form of an answer; an expected structure does.
    where left(expected_json, 1) in ('{', '[')
)

select
    day,
    'production' as origin,
    route,
    model_served,
    prompt_version,
    release,
    'pair' as side,
    call_id as subject_id,
    cluster_key,
    input_text,
    case when not is_error then output_text end as output_text,
    params_json,
    is_error,
    {% for name, limit in limits.items() -%}
        case
            when not is_error and {{ name }} between 0 and {{ limit }} then cast({{ name }} as double)
        end as {{ name }},
    {% endfor -%}
    case when not is_error then cast({{ count_tool_calls('output_json') }} as double) end as tool_calls,
    {{ has_failed_tool('messages_json') }} as tool_failed,
    case when not is_error then finish_reason end as finish_reason
from calls
union all
select
    day,
    example_set as origin,
    coalesce(route, '*') as route,
    '*' as model_served,
    '*' as prompt_version,
    '*' as release,
    'pair' as side,
    example_id as subject_id,
    {{ hash_of('example_id') }} as cluster_key,
    input_text,
    expected_text as output_text,
    null as params_json,
    null as is_error,
    {% for name in limits -%}
        null as {{ name }},
    {% endfor -%}
    null as tool_calls,
    null as tool_failed,
    null as finish_reason
from examples
