{#- Lists, in the words of each engine. -#}

{#- The values of a group as a list, in an order. -#}
{% macro gathered(value, order) -%}
    {{ adapter.dispatch('gathered')(value, order) }}
{%- endmacro %}

{% macro duckdb__gathered(value, order) -%}
    list({{ value }} order by {{ order }})
{%- endmacro %}

{#- A list of texts as one text; null for an empty list. -#}
{% macro joined(texts, separator=', ') -%}
    {{ adapter.dispatch('joined')(texts, separator) }}
{%- endmacro %}

{% macro duckdb__joined(texts, separator) -%}
    nullif(array_to_string({{ texts }}, '{{ separator }}'), '')
{%- endmacro %}
