{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='sync_all_columns') }}

with texts as (
    select * from {{ ref('int_texts') }}
    where {{ is_day_to_build(source('lake', 'interactions')) }}
),

text_words as (
    select * from {{ ref('int_text_words') }}
    where {{ is_day_to_build(source('lake', 'interactions')) }}
),

measured as (
    select
        texts.*,
        text_words.words_known,
        text_words.words_checked,
        length(texts.text_value) as n_characters,
        {{ count_matches('texts.text_value', '\\S+') }} as n_words,
        {{ json_kind('texts.text_value') }} as json_kind,
        {{ count_characters('texts.text_value', '[:ascii:]') }} as n_ascii,
        {{ count_characters('texts.text_value', '\\pL') }} as n_letters,
        {{ count_characters('texts.text_value', '\\p{Latin}') }} as n_latin,
        {{ count_characters('texts.text_value', '\\p{Cyrillic}') }} as n_cyrillic,
        {{ count_characters('texts.text_value', '\\p{Han}\\p{Hiragana}\\p{Katakana}') }} as n_han,
        {{ count_characters('texts.text_value', '\\p{Arabic}') }} as n_arabic,
        {{ matches('texts.text_value', '[.!?…。！？؟]["”’)\\]]*\\s*$') }} as ends_sentence
    from texts
    left join text_words
        on
            texts.day = text_words.day
            and texts.origin = text_words.origin
            and texts.route = text_words.route
            and texts.side = text_words.side
            and texts.subject_id = text_words.subject_id
)

select
    day,
    origin,
    route,
    model_served,
    prompt_version,
    side,
    subject_id,

    n_characters as characters,
    n_words as words,
    1 - n_ascii / nullif(1.0 * n_characters, 0) as non_ascii_share,
    1 - words_known / (1.0 * words_checked) as typo_share,
    n_words = 0 as empty,
    json_kind is not null as json_valid,
    coalesce(json_kind = 'OBJECT', false) as json_is_object,
    coalesce(json_kind = 'ARRAY', false) as json_is_list,
    coalesce(json_kind not in ('OBJECT', 'ARRAY'), false) as json_is_scalar,
    json_kind is null as json_is_none,
    text_value = lower(text_value) and text_value <> upper(text_value) as lower_case,
    text_value = upper(text_value) and text_value <> lower(text_value) as all_caps,
    n_words between 1 and 10 and not ends_sentence and json_kind is null as fragment,
    {{ matches('text_value', '[?？؟]\\s*$') }} as question,
    {{ matches('text_value', markdown_pattern()) }} as markdown,
    {{ matches('text_value', '```') }} as code_fence,
    {{ matches('text_value', refusal_pattern()) }} as refusal,
    n_latin > 0 and 2 * n_latin >= n_letters as script_latin,
    2 * n_cyrillic > n_letters as script_cyrillic,
    2 * n_han > n_letters as script_han,
    2 * n_arabic > n_letters as script_arabic,
    2 * (n_letters - n_latin - n_cyrillic - n_han - n_arabic) > n_letters as script_other
from measured
