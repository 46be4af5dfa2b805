{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with topics as (
    select * from {{ ref('stg_topics') }}
    where side = 'input' and {{ is_day_to_build(ref('stg_topics')) }}
)

select
    day,
    origin,
    route,
    topic_series,
    count(*) as n,
    {{ count_if('is_novel') }} as n_novel
from topics
group by day, origin, route, topic_series
