{{ config(materialized='incremental', incremental_strategy='replace_days') }}

select
    day,
    route,
    count(*) as n_calls
from {{ ref('int_calls') }}
where not is_cache_hit and {{ is_day_to_build(source('lake', 'interactions')) }}
group by day, route
