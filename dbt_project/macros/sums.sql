{#- Sums of all features at once, wide: one pass over the texts, and name__feature as columns. -#}

{#- The number of values of each feature in a group of rows, their sum, and the sum of their squares. -#}
{% macro sums_of_rows(relation, keys, features) -%}
    select
        {{ keys | join(', ') }}
        {%- for feature in features %},
        count({{ feature.name }}) as n__{{ feature.name }},
        {%- if feature.grid == 'flag' %}
        cast({{ count_if(feature.name) }} as double) as total__{{ feature.name }}
        {%- else %}
        {{ exact_sum(series_value(feature)) }} as total__{{ feature.name }},
        {{ exact_sum(series_value(feature) ~ ' * ' ~ series_value(feature)) }} as total_squares__{{ feature.name }}
        {%- endif %}
        {%- endfor %}
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}

{#- The same for groups that are clusters, added up over the clusters, with the sums that the noise of clusters needs:
    of s * s, of s * n and of n * n, where s and n are a cluster's sum and count. -#}
{% macro sums_of_clusters(relation, keys, features) -%}
    select
        {{ keys | join(', ') }}
        {%- for feature in features %}
        {%- set n, total = 'n__' ~ feature.name, 'total__' ~ feature.name %},
        cast(sum({{ n }}) as bigint) as {{ n }},
        {{ count_if(n ~ ' > 0') }} as n_clusters__{{ feature.name }},
        {{ feature_sum(feature, total) }} as {{ total }},
        {%- if feature.grid != 'flag' %}
        {{ exact_sum('total_squares__' ~ feature.name) }} as total_squares__{{ feature.name }},
        {%- endif %}
        {{ feature_sum(feature, total ~ ' * ' ~ total) }} as cluster_squares__{{ feature.name }},
        {{ feature_sum(feature, total ~ ' * ' ~ n) }} as cluster_cross__{{ feature.name }},
        cast(sum({{ n }} * {{ n }}) as double) as cluster_sizes__{{ feature.name }}
        {%- endfor %}
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}
