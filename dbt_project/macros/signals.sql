{#- What users say of answers, and what they do with them. -#}

{#- What logs may say that a user did with an answer, by feature, with the kinds of feedback that say so. -#}
{% macro logged_signals() -%}
    {{ return({
        'answer_accepted': ['accept', 'accepted', 'acceptance'],
        'answer_edited': ['edit', 'edited', 'edited_output'],
        'answer_retried': ['regenerate', 'regenerated', 'regeneration', 'retry', 'retried'],
        'answer_copied': ['copy', 'copied', 'copy_button'],
    }) }}
{%- endmacro %}

{#- What is derived from what a session's next call is. -#}
{% macro derived_signals() -%}
    {{ return(['asked_again', 'asked_otherwise', 'abandoned']) }}
{%- endmacro %}

{#- The columns of int_call_signals that are neither keys nor flags. -#}
{% macro signal_marks() -%}
    {{ return(['topic_id', 'is_of_day', 'edit_likeness']) }}
{%- endmacro %}

{#- All columns of int_call_signals that are signals, explicit feedback first. -#}
{% macro all_signals() -%}
    {{ return(['negative_feedback'] + (logged_signals() | list) + derived_signals()) }}
{%- endmacro %}

{#- True for the days of calls that feedback of the requested days may be about. -#}
{% macro is_day_of_feedback(day='day') -%}
    {{ day }} between cast({{ dateadd('day', '-7', first_day()) }} as date) and {{ last_day() }}
{%- endmacro %}

{#- A text as it is compared: in lower case, with single spaces; null without a word. -#}
{% macro normalised_text(text) -%}
    nullif({{ trimmed(in_lower_case(squeezed(text))) }}, '')
{%- endmacro %}

{% macro squeezed(text) -%}
    {{ adapter.dispatch('squeezed')(text) }}
{%- endmacro %}

{% macro duckdb__squeezed(text) -%}
    regexp_replace({{ text }}, '\s+', ' ', 'g')
{%- endmacro %}

{#- How alike two normalised texts are: the Jaccard index of their sets of four characters in a row, of the first 1,000
    characters. Texts whose lengths differ too much for .6 are 0 without being looked at. -#}
{% macro likeness(one, other) -%}
    {{ adapter.dispatch('likeness')(one, other) }}
{%- endmacro %}

{% macro duckdb__likeness(one, other) -%}
    {%- set grams -%}
        list_distinct(list_transform(range(1, greatest(least(length(TEXT), 1000) - 2, 2)), lambda i: substring(TEXT, i, 4)))
    {%- endset -%}
    {%- set a, b = grams | replace('TEXT', one), grams | replace('TEXT', other) -%}
    case
        when least(length({{ one }}), length({{ other }})) < 0.5 * greatest(length({{ one }}), length({{ other }})) then 0
        else
            len(list_intersect({{ a }}, {{ b }})) / cast(len(list_distinct(list_concat({{ a }}, {{ b }}))) as double)
    end
{%- endmacro %}

{#- How much of a text an edit left, 1 is all: 1 less the normalised edit distance (Levenshtein), of the first 4,000
    characters. -#}
{% macro edit_likeness(before, after) -%}
    {{ adapter.dispatch('edit_likeness')(before, after) }}
{%- endmacro %}

{% macro duckdb__edit_likeness(before, after) -%}
    {%- set a, b = 'left(' ~ before ~ ', 4000)', 'left(' ~ after ~ ', 4000)' -%}
    case
        when {{ before }} = {{ after }} then 1.0
        else 1 - levenshtein({{ a }}, {{ b }}) / cast(greatest(strlen({{ a }}), strlen({{ b }}), 1) as double)
    end
{%- endmacro %}

{#- The number that a text is as a whole; null where it is none. -#}
{% macro number_in(text) -%}
    {{ adapter.dispatch('number_in')(text) }}
{%- endmacro %}

{% macro duckdb__number_in(text) -%}
    try_cast({{ text }} as double)
{%- endmacro %}

{#- Whether explicit feedback is negative; null where it is neither that nor positive. A thumb and a score from 0 to 1 are
    negative below the middle, a rating of up to five stars up to 2 and positive from 4 on. -#}
{% macro is_negative(kind, value) -%}
    {%- set number = number_in(value) -%}
    {%- set is_rating = matches('lower(' ~ kind ~ ')', 'rating|star|csat|likert') ~ ' or ' ~ number ~ ' > 1' -%}
    case
        when {{ number }} is null
            then
                case
                    when lower({{ trimmed(value) }}) in (
                        'down', 'thumbs_down', 'thumbs-down', 'thumbsdown', 'thumb_down', 'negative', 'bad', 'dislike',
                        'no', 'false', 'wrong', 'incorrect', 'unhelpful', 'not_helpful', 'fail', 'failed', 'poor'
                    ) then true
                    when lower({{ trimmed(value) }}) in (
                        'up', 'thumbs_up', 'thumbs-up', 'thumbsup', 'thumb_up', 'positive', 'good', 'like', 'yes', 'true',
                        'right', 'correct', 'helpful', 'pass', 'passed', 'great', 'excellent'
                    ) then false
                end
        when {{ is_rating }} then case when {{ number }} <= 2 then true when {{ number }} >= 4 then false end
        when {{ number }} < 0.5 then true
        when {{ number }} > 0.5 then false
    end
{%- endmacro %}
