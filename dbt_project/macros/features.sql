{#- What the models need to add features up: the tables that have them, their keys, and their grids. -#}

{#- The columns of int_text_features and int_pair_features that are not features. -#}
{% macro text_keys() -%}
    {{ return([
        'day', 'origin', 'route', 'model_served', 'prompt_version', 'release', 'side', 'subject_id', 'cluster_key',
    ]) }}
{%- endmacro %}

{#- The columns of int_text_features that int_pair_features compares between request and response: not features. -#}
{% macro text_marks() -%}
    {{ return(['script', 'asks_for_json']) }}
{%- endmacro %}

{#- The features that have a column in a table and a row in the seed, as a list of {name, grid, sides}. Queried when a
    model runs, so that a new feature only needs an expression and a row. -#}
{% macro features_of(relation) -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
        {%- for row in run_query('select feature, grid, sides from ' ~ ref('features') ~ ' order by feature') -%}
            {%- if row[0] in columns -%}
                {%- do found.append({'name': row[0], 'grid': row[1], 'sides': row[2]}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{#- The number features of a table that an example of the dev set or a holdout has on a requested day. -#}
{% macro numbers_of_examples(relation) -%}
    {%- set numbers = features_of(relation) | rejectattr('grid', 'equalto', 'flag') | list -%}
    {%- if numbers -%}
        {%- set sql -%}
            select {% for feature in numbers %}count({{ feature.name }}){{ ', ' if not loop.last }}{% endfor %}
            from {{ relation }}
            where origin <> 'production' and {{ is_built_day() }}
        {%- endset -%}
        {%- set counts = run_query(sql)[0] -%}
        {%- set found = [] -%}
        {%- for feature in numbers -%}
            {%- if counts[loop.index0] > 0 -%} {%- do found.append(feature) -%} {%- endif -%}
        {%- endfor -%}
        {{ return(found) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}

{#- A number's value on the scale on which its series are added up: ln(1 + x) for counts, else x. -#}
{% macro series_value(feature) -%}
    {%- if feature.grid == 'log' -%}
        ln(1 + greatest({{ feature.name }}, 0))
    {%- else -%}
        {{ feature.name }}
    {%- endif -%}
{%- endmacro %}

{#- A sum that does not depend on the order of rows; for a flag, a sum of whole numbers. -#}
{% macro feature_sum(feature, value) -%}
    {%- if feature.grid == 'flag' -%} cast(sum({{ value }}) as double) {%- else -%} {{ exact_sum(value) }} {%- endif -%}
{%- endmacro %}

{#- The bin of a number on its grid. -#}
{% macro bin_of(feature) -%}
    {%- if feature.grid == 'log' -%}
        floor(4 * {{ binary_log('1 + greatest(' ~ feature.name ~ ', 0)') }})
    {%- else -%}
        floor(20 * {{ feature.name }})
    {%- endif -%}
{%- endmacro %}

{#- The seed row that applies to a feature: the mix of calls has one row for all models, and one for all prompt
    versions; the criteria of a workspace share one row. -#}
{% macro seed_feature(feature) -%}
    case
        when {{ feature }} like 'model:%' then 'model:'
        when {{ feature }} like 'prompt:%' then 'prompt:'
        when {{ feature }} like 'criterion:%' then 'criterion:'
        else {{ feature }}
    end
{%- endmacro %}

{#- Whether a seed row applies to a series: to its feature, measured on its side. -#}
{% macro is_seeded(series, seeded) -%}
    {{ seed_feature(series ~ '.feature') }} = {{ seeded }}.feature
    and {{ seeded }}.sides in ({{ series }}.side, case when {{ series }}.side <> 'pair' then 'both' end)
{%- endmacro %}

{#- Unpivots a wide table with columns called name__feature into the keys, `feature` and `names`: one row per row and
    feature (the squares of flags are the flags themselves). Texts are added up wide and unpivoted afterwards, because
    texts times features would be many rows. -#}
{% macro turned(relation, keys, names, features) -%}
    {{ adapter.dispatch('turned')(relation, keys, names, features) }}
{%- endmacro %}

{% macro duckdb__turned(relation, keys, names, features) -%}
    select
        {{ keys | join(', ') }},
        unnest([
            {%- for entry in features %}
            {'feature': '{{ entry.name }}'
            {%- for name in names %}
            {%- set summed = 'total' if name == 'total_squares' and entry.grid == 'flag' else name -%}
            , '{{ name }}': {{ summed }}__{{ entry.name }}
            {%- endfor %}}
            {{- ',' if not loop.last }}
            {%- endfor %}
        ], recursive := true)
    from {{ relation }}
{%- endmacro %}

{#- The value of the feature whose name is in a column, as a number, from the columns of a table of texts. -#}
{% macro value_of(features, name, texts) -%}
    case {{ name }}
        {%- for feature in features %}
        when '{{ feature.name }}' then cast({{ texts }}.{{ feature.name }} as double)
        {%- endfor %}
        when 'model:' || {{ texts }}.model_served then 1
        when 'prompt:' || {{ texts }}.prompt_version then 1
    end
{%- endmacro %}
