with calls as (
    select * from {{ ref('int_calls') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
)

select
    day,
    route,
    model_served,
    count(*) as calls,
    {{ count_if('is_error') }} as errors,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    {{ exact_sum('cost_usd') }} as cost_usd,
    {{ percentile('latency_ms', 0.50) }} as latency_p50_ms,
    {{ percentile('latency_ms', 0.95) }} as latency_p95_ms,
    {{ percentile('latency_ms', 0.99) }} as latency_p99_ms
from calls
group by day, route, model_served
