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
    params_json,
    is_error,
    case when not is_error then finish_reason end as finish_reason,
    case when not is_error and latency_ms >= 0 then latency_ms end as latency_ms
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
    null as params_json,
    null as is_error,
    null as finish_reason,
    null as latency_ms
from examples
