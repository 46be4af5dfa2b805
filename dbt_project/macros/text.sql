{#- Properties of a text, in the dialect of each engine. A pattern is an RE2 regular expression. -#}

{% macro matches(text, pattern) -%}
    {{ adapter.dispatch('matches')(text, pattern) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern | replace("'", "''") }}')
{%- endmacro %}

{#- The same of a pattern for the end of a text, of which all but the first character is white space or in this class. -#}
{% macro matches_at_end(text, pattern, tail) -%}
    {{ adapter.dispatch('matches_at_end')(text, pattern, tail) }}
{%- endmacro %}

{% macro duckdb__matches_at_end(text, pattern, tail) -%}
    {{ duckdb__matches(text, pattern) }}
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

{#- The number of bytes. An ASCII text has as many characters as bytes. That test is cheap, and makes all tests for
    scripts unnecessary. -#}
{% macro count_bytes(text) -%}
    {{ adapter.dispatch('count_bytes')(text) }}
{%- endmacro %}

{% macro duckdb__count_bytes(text) -%}
    strlen({{ text }})
{%- endmacro %}

{#- Whether the text contains this literal part. Costs a tenth of a regular expression. -#}
{% macro has_part(text, part) -%}
    {{ adapter.dispatch('has_part')(text, part) }}
{%- endmacro %}

{% macro duckdb__has_part(text, part) -%}
    contains({{ text }}, '{{ part | replace("'", "''") }}')
{%- endmacro %}

{#- How often the text contains this character of one byte. -#}
{% macro count_character(text, character) -%}
    {{ adapter.dispatch('count_character')(text, character) }}
{%- endmacro %}

{% macro duckdb__count_character(text, character) -%}
    strlen({{ text }}) - strlen(replace({{ text }}, '{{ character }}', ''))
{%- endmacro %}

{#- The text in lower and in upper case, letter by letter: of each becomes one, whatever stands beside it. -#}
{% macro in_lower_case(text) -%}
    {{ adapter.dispatch('in_lower_case')(text) }}
{%- endmacro %}

{% macro duckdb__in_lower_case(text) -%}
    lower({{ text }})
{%- endmacro %}

{% macro in_upper_case(text) -%}
    {{ adapter.dispatch('in_upper_case')(text) }}
{%- endmacro %}

{% macro duckdb__in_upper_case(text) -%}
    upper({{ text }})
{%- endmacro %}

{#- The text without spaces at its ends: those of ASCII and the other separators of words (Zs) of Unicode. -#}
{% macro trimmed(text) -%}
    {{ adapter.dispatch('trimmed')(text) }}
{%- endmacro %}

{% macro duckdb__trimmed(text) -%}
    trim({{ text }})
{%- endmacro %}

{#- The number of letters of an ASCII text: the positions in which its lower case and upper case forms differ. -#}
{% macro count_ascii_letters(lower_text, upper_text) -%}
    {{ adapter.dispatch('count_ascii_letters')(lower_text, upper_text) }}
{%- endmacro %}

{% macro duckdb__count_ascii_letters(lower_text, upper_text) -%}
    case when {{ lower_text }} = '' then 0 else hamming({{ lower_text }}, {{ upper_text }}) end
{%- endmacro %}

{#- The number of spaces (U+0020): the positions in which a text equals a text of spaces. -#}
{% macro count_spaces(text) -%}
    {{ adapter.dispatch('count_spaces')(text) }}
{%- endmacro %}

{% macro duckdb__count_spaces(text) -%}
    case
        when strlen({{ text }}) = 0 then 0
        when strlen({{ text }}) <= 2048
            then
                strlen({{ text }})
                - hamming({{ text }}, substring(repeat(' ', 2048), 1, strlen({{ text }})))
        else strlen({{ text }}) - strlen(replace({{ text }}, ' ', ''))
    end
{%- endmacro %}

{#- The text with only those pieces between spaces that have a letter, each between single spaces: it has one space more
    than words. -#}
{% macro lettered_pieces(text) -%}
    {{ adapter.dispatch('lettered_pieces')(text) }}
{%- endmacro %}

{% macro duckdb__lettered_pieces(text) -%}
    regexp_replace(' ' || {{ text }} || ' ', ' (?:[^\pL ]* )+', ' ', 'g')
{%- endmacro %}

{#- Sentences are counted as in Evidently: one more than the number of places with white space after . or ?, except
    after an abbreviation such as "e.g." or "Mr.". White space is Python's, for ASCII. This is the first step: the text
    without abbreviations, or an empty text if it cannot have the end of a sentence. -#}
{% macro without_abbreviations(text) -%}
    {{ adapter.dispatch('without_abbreviations')(text) }}
{%- endmacro %}

{% macro duckdb__without_abbreviations(text) -%}
    case
        when contains({{ text }}, '.') or contains({{ text }}, '?')
            then
                regexp_replace(
                    {{ text }}, '(?:\w\.\w[.?]|[A-Z][a-z]\.)[\s\x0b\x1c-\x1f]', 'x', 'g'
                )
        else ''
    end
{%- endmacro %}

{#- The number of sentence ends that are followed by white space. -#}
{% macro count_sentence_ends(text) -%}
    {{ adapter.dispatch('count_sentence_ends')(text) }}
{%- endmacro %}

{% macro duckdb__count_sentence_ends(text) -%}
    (strlen({{ text }}) - strlen(regexp_replace({{ text }}, '[.?][\s\x0b\x1c-\x1f]', '', 'g'))) // 2
{%- endmacro %}

{#- OBJECT, ARRAY, or another type for a scalar; null for a text that is not JSON. As in Python's json module: NaN and
    Infinity are numbers, a lone surrogate is a character, and trailing commas are not allowed. -#}
{% macro json_kind(text) -%}
    {{ adapter.dispatch('json_kind')(text) }}
{%- endmacro %}

{% macro duckdb__json_kind(text) -%}
    {%- set outside -%} regexp_replace({{ text }}, '"(?:[^"\\]|\\.)*"', '""', 'g') {%- endset -%}
    {%- set paired -%} {{ duckdb__without_surrogates(text) }} {%- endset -%}
    case
        when json_valid({{ text }})
            then
                case
                    when
                        regexp_matches({{ text }}, ',\s*[\]}]|[nN][aA][nN]|[iI][nN][fF]')
                        and regexp_matches(
                            regexp_replace({{ outside }}, '\bNaN\b|-?\bInfinity\b', '"', 'g'),
                            ',\s*[\]}]|-"|(?i)nan|inf'
                        )
                        then null
                    else json_type({{ text }})
                end
        when contains({{ text }}, '\ud') or contains({{ text }}, '\uD')
            then case when json_valid({{ paired }}) then json_type({{ paired }}) end
    end
{%- endmacro %}

{#- A lone surrogate is an error to DuckDB. -#}
{% macro duckdb__without_surrogates(text) -%}
    regexp_replace({{ text }}, '\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|\\)', 'x', 'g')
{%- endmacro %}

{#- The number of tool calls of a message as the lake stores it (chat completions); null for a null message. -#}
{% macro count_tool_calls(message) -%}
    {{ adapter.dispatch('count_tool_calls')(message) }}
{%- endmacro %}

{% macro duckdb__count_tool_calls(message) -%}
    case
        when not contains({{ message }}, '"tool_calls"') then 0
        when json_valid({{ message }}) then json_array_length({{ message }}, '$.tool_calls')
    end
{%- endmacro %}

{#- One row for each name of a tool that a message calls, each once. -#}
{% macro tool_names(message) -%}
    {{ adapter.dispatch('tool_names')(message) }}
{%- endmacro %}

{% macro duckdb__tool_names(message) -%}
    unnest(list_distinct(
        case
            when contains({{ message }}, '"tool_calls"') and json_valid({{ message }})
                then json_extract_string({{ message }}, '$.tool_calls[*].function.name')
        end
    ))
{%- endmacro %}

{#- Whether one of the tools failed whose results a request brings, which are the messages after the assistant's last
    one; null where it brings none. A result says so by its `status`, or is a JSON object with an `error`. `messages` are
    those of chat completions, as the lake stores them. -#}
{% macro has_failed_tool(messages) -%}
    {{ adapter.dispatch('has_failed_tool')(messages) }}
{%- endmacro %}

{#- Lists of one element give a name to what is needed twice. -#}
{% macro duckdb__has_failed_tool(messages) -%}
    case
        when contains({{ messages }}, '"tool"') and json_valid({{ messages }})
            then
                list_transform(
                    [list_reverse(json_extract({{ messages }}, '$[*]'))],
                    lambda latest: list_bool_or(list_transform(
                        list_filter(
                            list_slice(
                                latest,
                                1,
                                coalesce(
                                    list_position(
                                        list_transform(latest, lambda said: json_extract_string(said, '$.role')),
                                        'assistant'
                                    ),
                                    len(latest)
                                )
                            ),
                            lambda said: json_extract_string(said, '$.role') = 'tool'
                        ),
                        lambda said:
                            coalesce(json_extract_string(said, '$.status') = 'error', false)
                            or {{ duckdb__says_error("json_extract_string(said, '$.content')") }}
                    ))
                )[1]
    end
{%- endmacro %}

{% macro duckdb__says_error(content) -%}
    coalesce(
        left(ltrim({{ content }}), 1) = '{'
        and case
            when json_valid({{ content }})
                then
                    json_extract_string({{ content }}, '$.error') not in ('', 'false', '{}', '[]', '0')
                    or json_extract_string({{ content }}, '$.is_error') = 'true'
                    or json_extract_string({{ content }}, '$.isError') = 'true'
        end,
        false
    )
{%- endmacro %}

{#- One row for each run of letters, digits, apostrophes, _ and @ in a text, and one that is null. -#}
{% macro tokens(text) -%}
    {{ adapter.dispatch('tokens')(text) }}
{%- endmacro %}

{% macro duckdb__tokens(text) -%}
    unnest([null] || regexp_extract_all({{ text }}, '[\pL\pM\pN_@''’]+'))
{%- endmacro %}

{#- The ISO 639-1 code of the language of a text, or of 639-3 where that has none; und where it is not clear
    (flows/transform/language.py). -#}
{% macro language_of(text) -%}
    {{ adapter.dispatch('language_of')(text) }}
{%- endmacro %}

{#- A function in Python that flows/transform/language_plugin.py adds to the connection. -#}
{% macro duckdb__language_of(text) -%}
    language_of({{ text }})
{%- endmacro %}

{#- The rank of a key in a random sample: the MD5 of its text in UTF-8, as hexadecimal digits in lower case. The keys
    with the smallest ranks are the sample: the same ones in every run, in every engine, and in Python (`rank` of
    flows/stats/sample.py). -#}
{% macro sample_rank(key) -%}
    {{ hash(key) }}
{%- endmacro %}

{#- The upper bound of the ranks of about `n` of `size` keys; null where the size is null. -#}
{% macro sample_limit(n, size) -%}
    {{ adapter.dispatch('sample_limit')(n, size) }}
{%- endmacro %}

{#- The share as the first 13 digits of a rank, 52 bits. No rank reaches 'g'. -#}
{% macro duckdb__sample_limit(n, size) -%}
    case
        when {{ size }} <= {{ n }} then 'g'
        else printf('%013x', cast(floor({{ n }} / cast({{ size }} as double) * 4503599627370496) as bigint))
    end
{%- endmacro %}

{#- A key as an integer that replaces it in groupings. -#}
{% macro hash_of(key) -%}
    {{ adapter.dispatch('hash_of')(key) }}
{%- endmacro %}

{% macro duckdb__hash_of(key) -%}
    hash({{ key }})
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

{#- A number or a date as a text. -#}
{% macro as_text(value) -%}
    cast({{ value }} as {{ type_string() }})
{%- endmacro %}

{#- A part of a breach's subject: a slash within it would make two subjects ambiguous. -#}
{% macro subject_part(text) %}replace({{ text }}, '/', '%2F'){% endmacro %}

{#- The name of a criterion when it is scored on answers without their wrapping (suffix: the var unwrapped_suffix, which
    flows.lake defines). -#}
{% macro unwrapped(criterion) -%}
    {{ criterion }} || '{{ var("unwrapped_suffix") }}'
{%- endmacro %}

{#- The run_id of a night's evaluation (nightly_run_id of flows/lake). -#}
{% macro nightly_run_id(day) -%}
    'nightly-' || {{ as_text(day) }}
{%- endmacro %}

{#- Whether a run is the shadow run of a day: the candidates on production's inputs. -#}
{% macro is_shadow_run(run_id='run_id') -%}
    {{ run_id }} like 'shadow-%'
{%- endmacro %}

{#- The version of a topic's catalogue: the part before the dash of its id. -#}
{% macro topic_version_of(topic_series) -%}
    {{ split_part(topic_series, "'-'", 1) }}
{%- endmacro %}

{#- A topic in one version of its catalogue: the version and the number of the topic. Texts are sorted anew by each
    version, so the counts of one version cannot be compared with those of another, although the topic_id lasts. -#}
{% macro topic_series() -%}
    coalesce(left(topic_version, 4) || '-' || {{ split_part('topic_id', "'-'", 2) }}, topic_id)
{%- endmacro %}

{#- The text under a key of a JSON object; null without it. -#}
{% macro json_text(object, key) -%}
    {{ adapter.dispatch('json_text')(object, key) }}
{%- endmacro %}

{% macro duckdb__json_text(object, key) -%}
    json_extract_string({{ object }}, '$.{{ key }}')
{%- endmacro %}
