with texts as (
    select * from {{ ref('int_texts') }}
),

words as (
    select word from {{ ref('stg_words') }}
),

text_tokens as (
    select
        day,
        origin,
        route,
        side,
        subject_id,
        {{ tokens('text_value') }} as token
    from texts
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
