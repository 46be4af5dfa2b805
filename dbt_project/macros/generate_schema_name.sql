{#- A layer's schema is its name alone (marts), not the target's and its name (main_marts). -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
