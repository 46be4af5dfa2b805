{#- Whether the judge of a criterion changed on a day or within the window before it, as an expression over columns
    `day`, `route` and `criterion` of the relation of this name. Null for what no judge with an anchor set decides. -#}
{% macro is_judge_changed(relation) -%}
    (
        select max(case when anchors.is_changed then 1 else 0 end) = 1
        from {{ ref('fct_judge_anchors_daily') }} as anchors
        where
            anchors.route = {{ relation }}.route
            and anchors.criterion = {{ relation }}.criterion
            and anchors.day between {{ window_start(relation ~ '.day') }} and {{ relation }}.day
    )
{%- endmacro %}
