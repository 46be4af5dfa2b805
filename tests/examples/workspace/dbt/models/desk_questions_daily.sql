{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with calls as (
    select * from {{ source('lake', 'interactions') }}
    where {{ is_day_to_build(source('lake', 'interactions')) }}
),

topics as (
    select * from {{ ref('desk_topics') }}
),

usage as (
    select
        day,
        route,
        sum(calls) as n_calls
    from {{ ref('fct_usage_daily') }}
    group by day, route
)

select
    calls.day,
    calls.route,
    topics.topic,
    count(*) as n_questions,
    count(*) / any_value(usage.n_calls) as share_of_calls
from calls
inner join topics on {{ asks_about('calls.input_text', 'topics.words') }}
inner join usage on calls.day = usage.day and calls.route = usage.route
group by calls.day, calls.route, topics.topic
