{#- Whether a text has one of the words, which are separated by spaces, of the seed desk_topics. What engines say in
    different words is written for each: DuckDB, and Spark where `engine.warehouse` is that. -#}
{% macro asks_about(text, words) -%}
    {{ adapter.dispatch('asks_about', 'workspace')(text, words) }}
{%- endmacro %}

{% macro duckdb__asks_about(text, words) -%}
    len(list_filter(string_split({{ words }}, ' '), lambda word: contains(lower({{ text }}), word))) > 0
{%- endmacro %}

{% macro spark__asks_about(text, words) -%}
    exists(split({{ words }}, ' '), word -> contains(lower({{ text }}), word))
{%- endmacro %}
