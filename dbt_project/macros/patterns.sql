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

{#- Whether a text refuses. Few texts have a part that every refusal has: the others are not searched. No part has an s or
    a k, of which Unicode knows other forms. -#}
{% macro refuses(text, lower_text) -%}
    case
        when
            {% for part in ['i’m ', 'i am ', 'i can', 'i won', 'i will', ' an ai', 'i mu'] -%}
            {{ has_part(lower_text, part) }} or {% endfor -%}
            {{ has_part(lower_text, "i'm ") }}
            then {{ matches(text, refusal_pattern()) }}
        else false
    end
{%- endmacro %}

{#- Whether a text ends in a question mark. -#}
{% macro asks(text) -%}
    case
        when {% for sign in ['?', '？', '؟'] %}{{ ' or ' if not loop.first }}{{ has_part(text, sign) }}{% endfor %}
            then {{ matches_at_end(text, '[?？؟]\\s*$', '') }}
        else false
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
