{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with texts as (
    select * from {{ ref('int_texts') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
),

-- A separate table: a CTE used twice would be materialized with all texts.
route_sizes as (
    select
        *,
        {{ sample_limit(var('typo_sample'), 'n_answered') }} as sample_limit
    from {{ ref('int_call_counts_daily') }}
),

words as (
    select word from {{ ref('stg_words') }}
),

sampled as (
    select texts.*
    from texts
    left join route_sizes
        on texts.day = route_sizes.day and texts.route = route_sizes.route
    where
        texts.origin <> 'production'
        or {{ sample_rank('texts.subject_id') }} < route_sizes.sample_limit
),

text_tokens as (
    select
        day,
        origin,
        route,
        side,
        subject_id,
        {{ tokens('text_value') }} as token
    from sampled
),

checked as (
    select * from text_tokens
    where {{ matches('token', '^[a-z]{4,}$') }}
)

select
    checked.day,
    checked.origin,
    checked.route,
    checked.side,
    checked.subject_id,
    count(*) as words_checked,
    count(words.word) as words_known
from checked
left join words on checked.token = words.word
group by checked.day, checked.origin, checked.route, checked.side, checked.subject_id
