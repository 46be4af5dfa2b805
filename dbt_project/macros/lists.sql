{#- Lists, in the words of each engine. -#}

{#- The values of a group as a list, in an order. -#}
{% macro gathered(value, order) -%}
    {{ adapter.dispatch('gathered')(value, order) }}
{%- endmacro %}

{% macro duckdb__gathered(value, order) -%}
    list({{ value }} order by {{ order }})
{%- endmacro %}
