{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{#- Two weeks more than the window: the weeks before it show whether a route has no calls any more. -#}
with calls as (
    select
        day,
        route,
        cluster_key,
        count(*) as n,
        {{ count_if('not is_cache_hit') }} as n_answered
    from {{ ref('int_calls') }}
    where {{ is_day_to_build(ref('stg_interactions'), days_more=14) }}
    group by day, route, cluster_key
)

select
    day,
    route,
    cast(sum(n) as bigint) as n_calls,
    cast(sum(n_answered) as bigint) as n_answered,
    cast(sum(n * n) as double) as cluster_sizes
from calls
group by day, route
