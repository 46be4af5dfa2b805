{{ config(
    incremental_strategy='replace_days',
    on_schema_change='sync_all_columns'
) }}

with texts as (
    select * from {{ ref('int_texts') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
),

text_words as (
    select * from {{ ref('int_text_words') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
),

repeated_outputs as (
    select * from {{ ref('int_repeated_outputs') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
),

cased as (
    select
        *,
        {{ length('text_value') }} as n_characters,
        {{ count_bytes('text_value') }} = {{ length('text_value') }} as is_ascii,
        {{ in_lower_case('text_value') }} as lower_text,
        {{ in_upper_case('text_value') }} as upper_text,
        {{ lettered_pieces('text_value') }} as pieces,
        {{ without_abbreviations('text_value') }} as sentences_text,
        {{ json_kind('text_value') }} as json_kind
    from texts
),

measured as (
    select
        *,
        {{ count_spaces('pieces') }} - 1 as n_words,
        {{ count_spaces('text_value') }} as n_spaces,
        1 + {{ count_sentence_ends('sentences_text') }} as n_sentences,
        not {{ matches('text_value', '\\S') }} as is_empty,
        {{ matches_at_end('text_value', '[.!?…。！？؟]["”’)\\]]*\\s*$', '"”’)\\]') }} as ends_sentence,
        -- Scripts are only counted where a text is not ASCII.
        case
            when is_ascii then {{ count_ascii_letters('lower_text', 'upper_text') }}
            else {{ count_characters('text_value', '\\pL') }}
        end as n_letters,
        case when not is_ascii then {{ count_characters('text_value', '\\p{Latin}') }} end as n_latin_if_not_ascii,
        {% for name, class in [
            ('n_cyrillic', '\\p{Cyrillic}'),
            ('n_han', '\\p{Han}\\p{Hiragana}\\p{Katakana}'),
            ('n_arabic', '\\p{Arabic}'),
        ] -%}
            case when is_ascii then 0 else {{ count_characters('text_value', class) }} end as {{ name }},
        {% endfor -%}
        case
            when is_ascii then n_characters
            else {{ count_characters('text_value', '[:ascii:]') }}
        end as n_ascii
    from cased
),

-- The features of the workspace's own features.csv.
valued as (
    select
        {{ own_values(['input', 'output', 'both']) }}
        *,
        coalesce(n_latin_if_not_ascii, n_letters) as n_latin
    from measured
),

described as (
    select
        {{ text_keys() | join(', ') }},

        -- The script of most of the letters; null without letters.
        case
            when n_letters = 0 then null
            when 2 * n_latin >= n_letters then 'latin'
            when 2 * n_cyrillic > n_letters then 'cyrillic'
            when 2 * n_han > n_letters then 'han'
            when 2 * n_arabic > n_letters then 'arabic'
            else 'other'
        end as script,
        side = 'input'
        and ({{ has_part('lower_text', 'json') }} or coalesce(json_kind in ('OBJECT', 'ARRAY'), false))
            as asks_for_json,
        case when side = 'output' and origin = 'production' and not is_empty then {{ hash_of('text_value') }} end
            as text_hash,

        {{ own_columns(['input', 'output', 'both']) }}
        n_characters as characters,
        n_words as words,
        n_sentences as sentences,
        {{ count_character('text_value', '\n') }} as line_breaks,
        1 - (n_letters + n_spaces) / nullif(cast(n_characters as double), 0) as non_letter_share,
        1 - n_ascii / nullif(cast(n_characters as double), 0) as non_ascii_share,
        is_empty as empty,
        json_kind is not null as json_valid,
        coalesce(json_kind = 'OBJECT', false) as json_is_object,
        coalesce(json_kind = 'ARRAY', false) as json_is_list,
        coalesce(json_kind not in ('OBJECT', 'ARRAY'), false) as json_is_scalar,
        json_kind is null as json_is_none,
        text_value = lower_text and text_value <> upper_text as lower_case,
        text_value = upper_text and text_value <> lower_text as all_caps,
        n_words between 1 and 10 and not ends_sentence and json_kind is null as fragment,
        {{ asks('text_value') }} as question,
        {{ has_markdown('text_value') }} as markdown,
        {{ has_part('text_value', '```') }} as code_fence,
        -- Only an answer can refuse, and the search for phrases is the most expensive test.
        case when side = 'output' then {{ refuses('text_value', 'lower_text') }} end as refusal,
        n_latin > 0 and 2 * n_latin >= n_letters as script_latin,
        2 * n_cyrillic > n_letters as script_cyrillic,
        2 * n_han > n_letters as script_han,
        2 * n_arabic > n_letters as script_arabic,
        2 * (n_letters - n_latin - n_cyrillic - n_han - n_arabic) > n_letters as script_other
    from valued
)

-- Joined last, so that the texts do not pass through a join.
select
    described.*,
    1 - text_words.words_known / cast(nullif(text_words.words_checked, 0) as double) as typo_share,
    case
        when described.side = 'output' and described.origin = 'production'
            then repeated_outputs.text_hash is not null
    end as repeated
from described
left join text_words
    on
        described.day = text_words.day
        and described.origin = text_words.origin
        and described.route = text_words.route
        and described.side = text_words.side
        and described.subject_id = text_words.subject_id
left join repeated_outputs
    on
        described.day = repeated_outputs.day
        and described.route = repeated_outputs.route
        and described.text_hash = repeated_outputs.text_hash
