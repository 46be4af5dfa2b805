{#- The macros on JSON in the dialect of Spark. -#}

{#- A text as a value of the type variant; null where it is not JSON. The parser does not look at what follows a value:
    within a list it must, and the list must end with what no text knows of itself. It knows no NaN and no Infinity, which
    become 0, and no half of a pair of surrogates. -#}
{% macro spark_parsed(text) -%}
    {%- set finite -%}
        regexp_replace(
            {{ text }},
            '(^|[:,\\[])([ \\t\\n\\r]*+)(?:NaN|-?Infinity)(?=[ \\t\\n\\r]*+(?:[,}\\]]|\\z))', '$1$20'
        )
    {%- endset -%}
    {%- set paired -%}
        regexp_replace({{ text }}, '\\\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|\\\\)', 'x')
    {%- endset -%}
    case
        when contains({{ text }}, 'NaN') or contains({{ text }}, 'Infinity')
            then {{ spark_closed(finite) }}
        when contains({{ text }}, '\\ud') or contains({{ text }}, '\\uD')
            then coalesce({{ spark_closed(text) }}, {{ spark_closed(paired) }})
        else {{ spark_closed(text) }}
    end
{%- endmacro %}

{% macro spark_closed(text) -%}
    transform(
        array(try_parse_json(concat('[', {{ text }}, ',"', md5({{ text }}), '"]'))),
        parsed -> case
            when try_variant_get(parsed, '$[1]', 'string') = md5({{ text }}) then try_variant_get(parsed, '$[0]', 'variant')
        end
    )[0]
{%- endmacro %}

{#- What can be JSON begins and ends like it: all else is not parsed. -#}
{% macro spark__json_kind(text) -%}
    {%- set begin -%} left(trim(leading ' \t\n\r' from {{ text }}), 1) {%- endset -%}
    {%- set end -%} right(trim(trailing ' \t\n\r' from {{ text }}), 1) {%- endset -%}
    case
        when
            {{ begin }} in ('{', '[', '"', '-', 't', 'f', 'n', 'N', 'I')
            or {{ begin }} between '0' and '9'
            then
                case
                    when {{ begin }} = '{' and {{ end }} <> '}' then null
                    when {{ begin }} = '[' and {{ end }} <> ']' then null
                    when {{ spark_parsed(text) }} is not null
                        then
                            case {{ begin }}
                                when '{' then 'OBJECT'
                                when '[' then 'ARRAY'
                                else 'SCALAR'
                            end
                end
    end
{%- endmacro %}

{% macro spark__count_tool_calls(message) -%}
    {%- set calls = "try_variant_get(try_parse_json(" ~ message ~ "), '$.tool_calls', " -%}
    case
        when not contains({{ message }}, '"tool_calls"') then 0
        when {{ calls }}'variant') is not null then coalesce(array_size({{ calls }}'array<variant>')), 0)
    end
{%- endmacro %}

{% macro spark__tool_names(message) -%}
    explode(array_compact(array_distinct(
        case
            when contains({{ message }}, '"tool_calls"')
                then
                    transform(
                        try_variant_get(try_parse_json({{ message }}), '$.tool_calls', 'array<variant>'),
                        call -> try_variant_get(call, '$.function.name', 'string')
                    )
        end
    )))
{%- endmacro %}

{#- Lists of one element give a name to what is needed twice. -#}
{% macro spark__has_failed_tool(messages) -%}
    {%- set role = "try_variant_get(said, '$.role', 'string')" -%}
    case
        when contains({{ messages }}, '"tool"')
            then
                transform(
                    array(reverse(try_variant_get(try_parse_json({{ messages }}), '$', 'array<variant>'))),
                    latest -> array_max(transform(
                        filter(
                            slice(
                                latest,
                                1,
                                cast(coalesce(
                                    nullif(array_position(transform(latest, said -> {{ role }}), 'assistant'), 0),
                                    array_size(latest)
                                ) as int)
                            ),
                            said -> {{ role }} = 'tool'
                        ),
                        said ->
                            coalesce(try_variant_get(said, '$.status', 'string') = 'error', false)
                            or {{ spark_says_error("try_variant_get(said, '$.content', 'string')") }}
                    ))
                )[0]
    end
{%- endmacro %}

{% macro spark_says_error(content) -%}
    {%- set said = 'try_variant_get(try_parse_json(' ~ content ~ '), ' -%}
    coalesce(
        left({{ spark__trimmed(content) }}, 1) = '{'
        and case
            when {{ spark__json_kind(content) }} is not null
                then
                    {{ said }}'$.error', 'string') not in ('', 'false', '{}', '[]', '0')
                    or {{ said }}'$.is_error', 'string') = 'true'
                    or {{ said }}'$.isError', 'string') = 'true'
        end,
        false
    )
{%- endmacro %}

{#- Keys are in the order of their names, and of a key that is there twice the last counts. -#}
{% macro spark__fields_of(relation, keys, text) -%}
    {%- set keys = keys | join(', ') -%}
    select
        {{ keys }},
        field_path,
        json_type,
        case
            when json_type in ('object', 'array') then null
            when length(scalar) <= 40 then {{ member_name('scalar', 'empty') }}
        end as value,
        cast(case when json_type = 'string' then length(scalar) end as bigint) as n_characters,
        case when json_type = 'number' and abs(number) <= 1e9 then number end as number,
        cast(case when json_type = 'array' then array_size(try_variant_get(value, '$', 'array<variant>')) end as bigint)
            as n_elements
    from (
        select
            {{ keys }},
            {{ member_name("key || coalesce('.' || key_below, '')") }} as field_path,
            value,
            case left(schema_of_variant(value), 5)
                when 'OBJEC' then 'object'
                when 'ARRAY' then 'array'
                when 'STRIN' then 'string'
                when 'BOOLE' then 'boolean'
                when 'VOID' then 'null'
                else 'number'
            end as json_type,
            case
                when left(schema_of_variant(value), 5) = 'VOID' then 'null'
                when left(schema_of_variant(value), 5) not in ('OBJEC', 'ARRAY')
                    then try_variant_get(value, '$', 'string')
            end as scalar,
            case
                when left(schema_of_variant(value), 5) not in ('OBJEC', 'ARRAY', 'STRIN', 'BOOLE', 'VOID')
                    then try_variant_get(value, '$', 'double')
            end as number
        from (
            select
                {{ keys }},
                key,
                inline(concat(
                    array(named_struct('key_below', cast(null as string), 'value', value)),
                    {{ spark_entries('value', 'key_below') }}
                ))
            from (
                select
                    {{ keys }},
                    inline({{ spark_entries('parsed', 'key') }})
                from (
                    select
                        {{ keys }},
                        {{ spark_parsed(text) }} as parsed
                    from {{ relation }}
                )
            )
        )
    )
{%- endmacro %}

{#- The first 100 entries of an object, as a list of {name, value}; empty for any other value. -#}
{% macro spark_entries(value, name) -%}
    coalesce(
        slice(
            transform(
                map_entries(try_variant_get({{ value }}, '$', 'map<string,variant>')),
                entry -> named_struct('{{ name }}', entry.key, 'value', entry.value)
            ),
            1,
            100
        ),
        array()
    )
{%- endmacro %}

{#- Null is written, too, as DuckDB writes it. -#}
{% macro spark__json_object(pairs) -%}
    to_json(
        named_struct(
            {%- for key, value in pairs %}'{{ key }}', {{ value }}{{ ', ' if not loop.last }}{% endfor -%}
        ),
        map('ignoreNullFields', 'false')
    )
{%- endmacro %}

{% macro spark__json_text(object, key) -%}
    get_json_object({{ object }}, '$.{{ key }}')
{%- endmacro %}
