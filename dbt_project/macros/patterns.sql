{#- The longer patterns of features, one alternative per line. -#}

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

{#- Whether a text has markdown. A single line without markdown characters can only begin like a list; testing only
    for that costs a fifth. -#}
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

{#- English phrases with which models refuse, with a straight or a curly apostrophe. -#}
{% macro refusal_pattern() -%}
    {{ return('(?i)(' ~ [
        "\\bI(['’]m| am) (sorry|afraid),? but (I|as an)\\b",
        "\\bI (can['’]?t|cannot|can not|won['’]?t|will not) (help|assist|comply|answer|provide|fulfil|do that)",
        "\\bI(['’]m| am) (unable|not able|not allowed) to\\b",
        "\\bas an AI( language)? model\\b",
        "\\bI must (decline|refuse)\\b",
    ] | join('|') ~ ')') }}
{%- endmacro %}
