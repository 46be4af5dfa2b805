{#- Whether a text has one of the words, which are separated by spaces, of the seed desk_topics. -#}
{% macro asks_about(text, words) -%}
    len(list_filter(string_split({{ words }}, ' '), lambda word: contains(lower({{ text }}), word))) > 0
{%- endmacro %}
