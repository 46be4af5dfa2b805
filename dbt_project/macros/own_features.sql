{#- The features of a workspace's features.csv, which come in the var `features`: a list of the columns of the seed
    `features`, with `side` for `sides`, and with an SQL expression. flows/transform has checked them. -#}

{#- The values of those on these sides, as columns own__<feature> before others. -#}
{% macro own_values(sides) -%}
    {%- for feature in var('features') if feature.side in sides %}
        {{ own_value(feature) }} as own__{{ feature.feature }},
    {%- endfor -%}
{%- endmacro %}

{% macro own_value(feature) -%}
    {{ adapter.dispatch('own_value')(feature) }}
{%- endmacro %}

{#- One text must not fail a night: where the expression fails on it, it has no value. The expression may end in a
    comment, so it has its own lines. -#}
{% macro duckdb__own_value(feature) -%}
    {%- set type = 'boolean' if feature.kind == 'share' else 'double' -%}
    {%- set value -%}
try(cast((
{{ feature.expression }}
) as {{ type }}))
    {%- endset -%}
    {%- if feature.side in ('input', 'output') -%}
        case when side = '{{ feature.side }}' then {{ value }} end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}

{#- The same by their names, without numbers that are out of all bounds: their squares would not fit into an exact sum. -#}
{% macro own_columns(sides) -%}
    {%- for feature in var('features') if feature.side in sides %}
        {%- if feature.kind == 'share' %}
        own__{{ feature.feature }} as {{ feature.feature }},
        {%- elif feature.grid == 'unit' %}
        case when own__{{ feature.feature }} between 0 and 1 then own__{{ feature.feature }} end as {{ feature.feature }},
        {%- else %}
        case
            when abs(own__{{ feature.feature }}) <= {{ '1e5' if feature.grid == 'micro' else '1e9' }}
                then own__{{ feature.feature }}
        end as {{ feature.feature }},
        {%- endif %}
    {%- endfor -%}
{%- endmacro %}

{#- Adds their rows to the seed, after dbt has loaded it. -#}
{% macro own_feature_rows() -%}
    {%- for feature in var('features') -%}
        {%- if loop.first -%}
            insert into {{ this }}
                (feature, kind, grid, sides, compare_expected, severity, description, need)
            values
        {%- endif %}
            ('{{ feature.feature }}', '{{ feature.kind }}', '{{ feature.grid }}', '{{ feature.side }}',
            {{ feature.compare_expected | lower }}, '{{ feature.severity }}',
            {{ text_literal(feature.description) }}, '{{ feature.need }}')
            {{- ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
