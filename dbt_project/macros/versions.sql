{#- Joins that keep of a criterion's series only the days of the version that it has on the day in question: `day_of` is
    the relation with the day, `past` the one with an earlier day. Needs a CTE `versions`, of `int_criterion_days`.
    What has no version is kept. -#}
{% macro of_one_version(day_of, past) -%}
    left join versions as version_now
        on
            {{ day_of }}.day = version_now.day
            and {{ day_of }}.route = version_now.route
            and {{ day_of }}.side = version_now.side
            and {{ day_of }}.feature = version_now.feature
    left join versions as version_past
        on
            {{ past }}.day = version_past.day
            and {{ past }}.route = version_past.route
            and {{ past }}.side = version_past.side
            and {{ past }}.feature = version_past.feature
{%- endmacro %}

{#- Whether both days have the same version. -#}
{% macro is_one_version() -%}
    coalesce(version_now.criterion_version, '') = coalesce(version_past.criterion_version, '')
{%- endmacro %}
