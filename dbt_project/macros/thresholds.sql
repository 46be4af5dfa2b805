{#- One threshold as a scalar: the workspace's own, or else that of the risk of a `route` (a column), or of the workspace. -#}
{% macro threshold(name, route=none) -%}
    {%- set own = var('thresholds') -%}
    {%- set of_routes = var('route_risks') if route is not none else [] -%}
    {%- if name in own -%}
        cast({{ own[name] }} as double)
    {%- elif of_routes -%}
        case {{ route }}
            {%- for one in of_routes %}
                when {{ text_literal(one.route) }} then {{ threshold_of_risk(name, one.risk) }}
            {%- endfor %}
            else {{ threshold_of_risk(name, var("risk")) }}
        end
    {%- else -%}
        {{ threshold_of_risk(name, var("risk")) }}
    {%- endif -%}
{%- endmacro %}

{% macro threshold_of_risk(name, risk) -%}
    (
        select thresholds.value from {{ ref('thresholds') }} as thresholds
        where thresholds.risk = '{{ risk }}' and thresholds.name = '{{ name }}'
    )
{%- endmacro %}
