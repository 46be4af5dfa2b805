{#- A layer's schema is only its name (marts), without the target's schema as a prefix (main_marts). -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
