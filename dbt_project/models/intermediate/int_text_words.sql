{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

{%- set keys = ['day', 'origin', 'route', 'side', 'subject_id', 'cluster_key', 'language_code'] -%}

with texts as (
    select * from {{ ref('int_sampled_texts') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
),

words as (
    select word from {{ ref('stg_words') }}
),

-- Before the texts are split: a function beside `tokens` is computed for each token.
described as (
    select
        *,
        case when origin = 'production' then {{ language_of('text_value') }} end as language_code
    from texts
),

text_tokens as (
    select
        {{ keys | join(', ') }},
        {{ tokens('text_value') }} as token
    from described
),

checked as (
    select
        {{ keys | join(', ') }},
        case when {{ matches('token', '^[a-z]{4,}$') }} then token end as token
    from text_tokens
)

select
    {{ keys | join(', ') }},
    count(checked.token) as words_checked,
    count(words.word) as words_known
from checked
left join words on checked.token = words.word
group by {{ keys | join(', ') }}
