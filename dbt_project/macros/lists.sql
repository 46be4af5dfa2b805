{#- Lists, in the words of each engine. -#}

{#- The values of a group as a list, in an order. -#}
{% macro gathered(value, order) -%}
    {{ adapter.dispatch('gathered')(value, order) }}
{%- endmacro %}

{% macro duckdb__gathered(value, order) -%}
    list({{ value }} order by {{ order }})
{%- endmacro %}

{#- Whether there is something in a list; null, where there is no list. -#}
{% macro is_filled(list) -%}
    {{ adapter.dispatch('is_filled')(list) }}
{%- endmacro %}

{% macro duckdb__is_filled(list) -%}
    len({{ list }}) > 0
{%- endmacro %}

{#- Whether a list has all that is in another; null, where there is no list. -#}
{% macro has_all(list, part) -%}
    {{ adapter.dispatch('has_all')(list, part) }}
{%- endmacro %}

{% macro duckdb__has_all(list, part) -%}
    list_has_all({{ list }}, {{ part }})
{%- endmacro %}

{#- A list of texts as one text, parted by commas. -#}
{% macro listed(list) -%}
    {{ adapter.dispatch('listed')(list) }}
{%- endmacro %}

{% macro duckdb__listed(list) -%}
    array_to_string({{ list }}, ', ')
{%- endmacro %}
