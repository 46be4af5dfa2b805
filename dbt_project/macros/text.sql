{#- What a text looks like, in the words of each engine. A pattern is an RE2 regular expression. -#}

{% macro matches(text, pattern) -%}
    {{ adapter.dispatch('matches')(text, pattern) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern | replace("'", "''") }}')
{%- endmacro %}

{% macro count_matches(text, pattern) -%}
    {{ adapter.dispatch('count_matches')(text, pattern) }}
{%- endmacro %}

{% macro duckdb__count_matches(text, pattern) -%}
    len(regexp_extract_all({{ text }}, '{{ pattern | replace("'", "''") }}'))
{%- endmacro %}

{#- The number of characters of a class such as \p{Latin}. -#}
{% macro count_characters(text, class) -%}
    {{ adapter.dispatch('count_characters')(text, class) }}
{%- endmacro %}

{% macro duckdb__count_characters(text, class) -%}
    length(regexp_replace({{ text }}, '[^{{ class }}]+', '', 'g'))
{%- endmacro %}

{#- OBJECT, ARRAY, another type for a scalar; null for what is no JSON. -#}
{% macro json_kind(text) -%}
    {{ adapter.dispatch('json_kind')(text) }}
{%- endmacro %}

{% macro duckdb__json_kind(text) -%}
    case when json_valid({{ text }}) then json_type({{ text }}) end
{%- endmacro %}

{#- One row for each run of letters, digits, apostrophes, _ and @ in a text. -#}
{% macro tokens(text) -%}
    {{ adapter.dispatch('tokens')(text) }}
{%- endmacro %}

{% macro duckdb__tokens(text) -%}
    unnest(regexp_extract_all({{ text }}, '[\pL\pM\pN_@''’]+'))
{%- endmacro %}

{#- Rows of `keys`, feature and value, one for each further column of `relation` that is not null. -#}
{% macro unpivot_features(relation, keys) -%}
    {{ adapter.dispatch('unpivot_features')(relation, keys) }}
{%- endmacro %}

{% macro duckdb__unpivot_features(relation, keys) -%}
    unpivot (
        select
            {{ keys | join(', ') }},
            cast(columns(* exclude ({{ keys | join(', ') }})) as double)
        from {{ relation }}
    )
    on columns(* exclude ({{ keys | join(', ') }}))
    into name feature value value
{%- endmacro %}

{#- A JSON object as text, from a list of (key, expression). -#}
{% macro json_object(pairs) -%}
    {{ adapter.dispatch('json_object')(pairs) }}
{%- endmacro %}

{% macro duckdb__json_object(pairs) -%}
    cast(json_object(
        {%- for key, value in pairs %}'{{ key }}', {{ value }}{{ ', ' if not loop.last }}{% endfor -%}
    ) as varchar)
{%- endmacro %}

{#- A share as a person reads it: 61.0 %. -#}
{% macro percent(share) -%}
    cast(cast(100 * {{ share }} as decimal(18, 1)) as varchar) || ' %'
{%- endmacro %}

{#- A difference of shares as a person reads it: 12.5 (points). -#}
{% macro points(difference) -%}
    cast(cast(100 * {{ difference }} as decimal(18, 1)) as varchar)
{%- endmacro %}

{#- A number as a person reads it: 210.3, or 0.021 where it is small. -#}
{% macro figure(number) -%}
    case
        when abs({{ number }}) < 1 then cast(cast({{ number }} as decimal(18, 3)) as varchar)
        else cast(cast({{ number }} as decimal(18, 1)) as varchar)
    end
{%- endmacro %}

{#- A part of a breach's subject: a slash within it would make two subjects look alike. -#}
{% macro subject_part(text) %}replace({{ text }}, '/', '%2F'){% endmacro %}
