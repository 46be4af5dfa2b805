{#- One threshold as a scalar: the workspace's own, or else that of its level of risk. -#}
{% macro threshold(name) -%}
    {%- set own = var('thresholds') -%}
    {%- if name in own -%}
        cast({{ own[name] }} as double)
    {%- else -%}
        (
            select thresholds.value from {{ ref('thresholds') }} as thresholds
            where thresholds.risk = '{{ var("risk") }}' and thresholds.name = '{{ name }}'
        )
    {%- endif -%}
{%- endmacro %}
