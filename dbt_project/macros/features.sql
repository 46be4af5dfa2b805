{#- What the models need to add features up: the tables that have them, their keys, and their grids. -#}

{#- The columns of int_text_features and int_pair_features that are not features. -#}
{% macro text_keys() -%}
    {{ return([
        'day', 'origin', 'route', 'model_served', 'prompt_version', 'release', 'side', 'subject_id', 'cluster_key',
    ]) }}
{%- endmacro %}

{#- The columns of int_text_features that are only for other models: not features. -#}
{% macro text_marks() -%}
    {{ return(['script', 'asks_for_json', 'text_hash']) }}
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

{#- What the logarithm of a number is taken of, beside 1: the number, or an amount of money in millionths. -#}
{% macro log_units(feature) -%}
    {{ '1000000 * ' if feature.grid == 'micro' }}greatest({{ feature.name }}, 0)
{%- endmacro %}

{#- A number's value on the scale on which its series are added up: ln(1 + x) for counts, of a million x for money,
    else x. -#}
{% macro series_value(feature) -%}
    {%- if feature.grid in ('log', 'micro') -%}
        ln(1 + {{ log_units(feature) }})
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
    {%- if feature.grid in ('log', 'micro') -%}
        cast(floor(4 * {{ binary_log('1 + ' ~ log_units(feature)) }}) as double)
    {%- else -%}
        cast(floor(20 * {{ feature.name }}) as double)
    {%- endif -%}
{%- endmacro %}

{#- Seed rows that apply to all features whose names begin with them: the members of a mix of calls, which are shares
    like any other, the numbers of fields, and the criteria of a workspace. -#}
{% macro prefixes() -%}
    {{ return([
        'model:', 'prompt:', 'error:', 'tool:', 'language:', 'criterion:',
        'field:', 'field_type:', 'field_length:', 'field_number:', 'field_size:',
    ]) }}
{%- endmacro %}

{#- The seed row that applies to a feature. -#}
{% macro seed_feature(feature) -%}
    case
        {%- for prefix in prefixes() %}
        when {{ feature }} like '{{ prefix }}%' then '{{ prefix }}'
        {%- endfor %}
        else {{ feature }}
    end
{%- endmacro %}

{#- A name from a log as that of a member: without control characters, and not longer than 80 characters. -#}
{% macro member_name(name, missing='unknown') -%}
    {{ adapter.dispatch('member_name')(name, missing) }}
{%- endmacro %}

{% macro duckdb__member_name(name, missing) -%}
    coalesce(
        nullif(trim(left(regexp_replace(left({{ name }}, 1000), '[\x00-\x1f\x7f\s]+', ' ', 'g'), 80)), ''),
        '{{ missing }}'
    )
{%- endmacro %}

{#- The fields of JSON objects, each with the keys of its row: each key, and each key of an object one level below, whose
    path has a dot; with the value's type in JSON, its value where it is a text of at most 40 characters, a number, a
    flag or null, the number of characters of a text and of elements of a list, and a number, where it is not out of all
    bounds. Of an object at most 100 keys are read. `text` is valid JSON but for lone surrogates, as json_kind says. -#}
{% macro fields_of(relation, keys, text) -%}
    {{ adapter.dispatch('fields_of')(relation, keys, text) }}
{%- endmacro %}

{#- Keys and values are in the order of the text. Each subquery has what the next one needs twice. -#}
{% macro duckdb__fields_of(relation, keys, text) -%}
    {%- set keys = keys | join(', ') -%}
    {%- set is_object = "left(value, 1) = '{'" -%}
    {%- set paired -%} {{ duckdb__without_surrogates(text) }} {%- endset -%}
    select
        {{ keys }},
        field_path,
        json_type,
        case
            when json_type in ('object', 'array') then null
            when length(scalar) <= 40 then {{ member_name('scalar', 'empty') }}
        end as value,
        case when json_type = 'string' then length(scalar) end as n_characters,
        case when json_type = 'number' and abs(number) <= 1e9 then number end as number,
        case when json_type = 'array' then json_array_length(value) end as n_elements
    from (
        select
            {{ keys }},
            {{ member_name("key || coalesce('.' || key_below, '')") }} as field_path,
            value,
            case left(value, 1)
                when '{' then 'object'
                when '[' then 'array'
                when '"' then 'string'
                when 't' then 'boolean'
                when 'f' then 'boolean'
                else case when value = 'null' then 'null' else 'number' end
            end as json_type,
            case
                when left(value, 1) = '"' then json_extract_string(value, '$')
                when left(value, 1) not in ('{', '[') then cast(value as varchar)
            end as scalar,
            case when left(value, 1) not in ('{', '[', '"') then try_cast(value as double) end as number
        from (
            select
                {{ keys }},
                key,
                unnest(case when {{ is_object }} then [null] || json_keys(value)[:100] else [null] end) as key_below,
                unnest(case when {{ is_object }} then [value] || json_extract(value, '$.*')[:100] else [value] end)
                    as value
            from (
                select
                    {{ keys }},
                    unnest(json_keys(object)[:100]) as key,
                    unnest(json_extract(object, '$.*')[:100]) as value
                from (
                    select
                        {{ keys }},
                        case when json_valid({{ text }}) then {{ text }} else {{ paired }} end as object
                    from {{ relation }}
                )
            )
        )
    )
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
