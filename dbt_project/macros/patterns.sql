{#- The longer patterns of features, one alternative a line. -#}

{#- A heading, bold words, a list, a row of a table, or a link. -#}
{% macro markdown_pattern() -%}
    {{ return([
        '(?m)^#{1,6} +\\S',
        '\\*\\*[^*\\n]+\\*\\*',
        '(?m)^ *([-*+]|\\d+[.)]) +\\S',
        '(?m)^ *\\|.*\\| *$',
        '\\[[^\\]\\n]+\\]\\([^)\\n]+\\)',
    ] | join('|')) }}
{%- endmacro %}

{#- Whether a text has markdown. A text in one line and without its signs can at most begin like a list: to look for
    that alone costs a fifth. -#}
{% macro has_markdown(text) -%}
    case
        when
            {% for sign in ['**', '](', '|', '#', '\n'] -%}
            {{ 'or ' if not loop.first }}{{ has_part(text, sign) }}
            {% endfor -%}
            then {{ matches(text, markdown_pattern()) }}
        else {{ matches(text, '^ *([-*+]|\\d+[.)]) +\\S') }}
    end
{%- endmacro %}

{#- English phrases with which models refuse. Either apostrophe. -#}
{% macro refusal_pattern() -%}
    {{ return('(?i)(' ~ [
        "\\bI(['’]m| am) (sorry|afraid),? but (I|as an)\\b",
        "\\bI (can['’]?t|cannot|can not|won['’]?t|will not) (help|assist|comply|answer|provide|fulfil|do that)",
        "\\bI(['’]m| am) (unable|not able|not allowed) to\\b",
        "\\bas an AI( language)? model\\b",
        "\\bI must (decline|refuse)\\b",
    ] | join('|') ~ ')') }}
{%- endmacro %}

{#- Which script most of a text's letters are of; null where it has none, or none of these leads. ASCII is quick. -#}
{% macro dominant_script(text) -%}
    {%- set letters = count_characters(text, '\\pL') -%}
    case
        when {{ text }} is null then null
        when {{ count_bytes(text) }} = length({{ text }}) then case when {{ matches(text, '[a-zA-Z]') }} then 'latin' end
        when not {{ matches(text, '\\pL') }} then null
        when 2 * {{ count_characters(text, '\\p{Latin}') }} >= {{ letters }} then 'latin'
        when 2 * {{ count_characters(text, '\\p{Cyrillic}') }} > {{ letters }} then 'cyrillic'
        when 2 * {{ count_characters(text, '\\p{Han}\\p{Hiragana}\\p{Katakana}') }} > {{ letters }} then 'han'
        when 2 * {{ count_characters(text, '\\p{Arabic}') }} > {{ letters }} then 'arabic'
        else 'other'
    end
{%- endmacro %}
