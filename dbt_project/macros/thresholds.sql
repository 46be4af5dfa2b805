{#- One threshold of the workspace's level of risk, as a scalar. -#}
{% macro threshold(name) -%}
    (
        select thresholds.value from {{ ref('thresholds') }} as thresholds
        where thresholds.risk = '{{ var("risk") }}' and thresholds.name = '{{ name }}'
    )
{%- endmacro %}
