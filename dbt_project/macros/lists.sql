{#- Lists, in the dialect of each engine. -#}

{#- The values of a group as an ordered list. -#}
{% macro gathered(value, order) -%}
    {{ adapter.dispatch('gathered')(value, order) }}
{%- endmacro %}

{% macro duckdb__gathered(value, order) -%}
    list({{ value }} order by {{ order }})
{%- endmacro %}

{#- Whether a list has elements; null for a null list. -#}
{% macro is_filled(list) -%}
    {{ adapter.dispatch('is_filled')(list) }}
{%- endmacro %}

{% macro duckdb__is_filled(list) -%}
    len({{ list }}) > 0
{%- endmacro %}

{#- Whether a list has all elements of another one; null for a null list. -#}
{% macro has_all(list, part) -%}
    {{ adapter.dispatch('has_all')(list, part) }}
{%- endmacro %}

{% macro duckdb__has_all(list, part) -%}
    list_has_all({{ list }}, {{ part }})
{%- endmacro %}

{#- A list of texts as one text, separated by commas. -#}
{% macro listed(list) -%}
    {{ adapter.dispatch('listed')(list) }}
{%- endmacro %}

{% macro duckdb__listed(list) -%}
    array_to_string({{ list }}, ', ')
{%- endmacro %}
