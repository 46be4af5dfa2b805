{#- The macros of text.sql and signals.sql in the dialect of Spark. -#}

{#- A text as a literal of Spark, where a backslash escapes what follows it. -#}
{% macro spark__text_literal(text) -%}
    '{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{#- An RE2 pattern as a literal in the words of java.util.regex, in which \b and \s know more than ASCII, or another part
    of it, (?i) knows no more than ASCII, and more than a line feed ends a line. -#}
{% macro spark_pattern(pattern) -%}
    {%- set words = {
        '\\p{Latin}': '\\p{IsLatin}',
        '\\p{Cyrillic}': '\\p{IsCyrillic}',
        '\\p{Han}': '\\p{IsHan}',
        '\\p{Hiragana}': '\\p{IsHiragana}',
        '\\p{Katakana}': '\\p{IsKatakana}',
        '\\p{Arabic}': '\\p{IsArabic}',
        '[:ascii:]': '\\x00-\\x7F',
        '\\b': '(?-iu:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))',
        '\\S': '[^\\t\\n\\f\\r ]',
        '\\s': '[\\t\\n\\f\\r ]',
        '(?i)': '(?iu)',
    } -%}
    {%- set said = namespace(pattern=pattern) -%}
    {#- A word that begins with a letter: the letter is looked for first, for a boundary is slow to look for. Of s and k
        there are forms outside ASCII. -#}
    {%- for letter in 'abcdefghijlmnopqrtuvwxyz' if '(?i)' in pattern -%}
        {%- for written in [letter, letter | upper] -%}
            {%- set said.pattern = said.pattern | replace(
                '\\b' ~ written, '(?-iu:[' ~ letter ~ (letter | upper) ~ '](?<![0-9A-Za-z_].))'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for word, meaning in words.items() -%}
        {%- set said.pattern = said.pattern | replace(word, meaning) -%}
    {%- endfor -%}
    {{ spark__text_literal('(?d)' ~ said.pattern) }}
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike {{ spark_pattern(pattern) }}
{%- endmacro %}

{#- The last characters say it, unless they all may follow what is looked for. -#}
{% macro spark__matches_at_end(text, pattern, tail) -%}
    case
        when right({{ text }}, 32) rlike {{ spark_pattern('[^\\t\\n\\f\\r ' ~ tail ~ ']') }}
            then right({{ text }}, 32) rlike {{ spark_pattern(pattern) }}
        else {{ text }} rlike {{ spark_pattern(pattern) }}
    end
{%- endmacro %}

{% macro spark__count_matches(text, pattern) -%}
    regexp_count({{ text }}, {{ spark_pattern(pattern) }})
{%- endmacro %}

{% macro spark__count_characters(text, class) -%}
    length(regexp_replace({{ text }}, {{ spark_pattern('[^' ~ class ~ ']++') }}, ''))
{%- endmacro %}

{% macro spark__count_bytes(text) -%}
    octet_length({{ text }})
{%- endmacro %}

{% macro spark__has_part(text, part) -%}
    contains({{ text }}, {{ spark__text_literal(part) }})
{%- endmacro %}

{% macro spark__count_character(text, character) -%}
    length({{ text }}) - length(replace({{ text }}, {{ spark__text_literal(character) }}, ''))
{%- endmacro %}

{% macro spark__in_lower_case(text) -%}
    case
        when octet_length({{ text }}) = length({{ text }}) then lower({{ text }})
        else lower(translate({{ text }}, 'İΣ', 'iσ'))
    end
{%- endmacro %}

{#- To Java some letters are two in upper case, such as a ligature. -#}
{% macro spark__in_upper_case(text) -%}
    {%- set one = 'ßᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾳῃῳ' -%}
    {%- set other = 'ẞᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼ' -%}
    {%- set single = 'translate(' ~ text ~ ", '" ~ one ~ "', '" ~ other ~ "')" -%}
    case
        when octet_length({{ text }}) = length({{ text }}) then upper({{ text }})
        when length(upper({{ single }})) = length({{ text }}) then upper({{ single }})
        else
            array_join(
                transform(
                    regexp_extract_all({{ single }}, '(?s).', 0),
                    letter -> case when length(upper(letter)) = 1 then upper(letter) else letter end
                ),
                ''
            )
    end
{%- endmacro %}

{% macro spark__trimmed(text) -%}
    regexp_replace({{ text }}, '^\\p{Zs}++|(?<!\\p{Zs})\\p{Zs}++\\z', '')
{%- endmacro %}

{% macro spark__count_ascii_letters(lower_text, upper_text) -%}
    (length({{ lower_text }}) - length(regexp_replace({{ lower_text }}, '[a-z]++', '')))
{%- endmacro %}

{% macro spark__count_spaces(text) -%}
    (length({{ text }}) - length(replace({{ text }}, ' ', '')))
{%- endmacro %}

{% macro spark__lettered_pieces(text) -%}
    regexp_replace(concat(' ', {{ text }}, ' '), ' (?:[^\\pL ]*+ )++', ' ')
{%- endmacro %}

{#- Abbreviations stay in the text: the count below looks back for them, which costs half as much. -#}
{% macro spark__without_abbreviations(text) -%}
    case when contains({{ text }}, '.') or contains({{ text }}, '?') then {{ text }} else '' end
{%- endmacro %}

{#- The ends are found first, and few; what stands before each says whether it is an abbreviation. -#}
{% macro spark__count_sentence_ends(text) -%}
    regexp_count({{ text }}, '(?:[.](?<![A-Z][a-z][.])|[?])(?<!\\w[.]\\w[.?])[\\s\\x0b\\x1c-\\x1f]')
{%- endmacro %}

{% macro spark__tokens(text) -%}
    explode(concat(
        array(cast(null as string)), regexp_extract_all({{ text }}, '[\\pL\\pM\\pN_@\'’]++', 0)
    ))
{%- endmacro %}

{% macro spark__member_name(name, missing) -%}
    {%- set short -%}
        left(regexp_replace(left({{ name }}, 1000), '[\\x00-\\x1f\\x7f ]++', ' '), 80)
    {%- endset -%}
    coalesce(nullif({{ spark__trimmed(short) }}, ''), '{{ missing }}')
{%- endmacro %}

{#- A function that flows/transform/spark_session.py adds to the session. -#}
{% macro spark__language_of(text) -%}
    language_of({{ text }})
{%- endmacro %}

{% macro spark__sample_limit(n, size) -%}
    case
        when {{ size }} <= {{ n }} then 'g'
        else
            lpad(
                lower(hex(cast(floor({{ n }} / cast({{ size }} as double) * 4503599627370496) as bigint))), 13, '0'
            )
    end
{%- endmacro %}

{% macro spark__hash_of(key) -%}
    xxhash64({{ key }})
{%- endmacro %}

{% macro spark__squeezed(text) -%}
    regexp_replace({{ text }}, '[\\t\\n\\f\\r ]++', ' ')
{%- endmacro %}

{% macro spark__likeness(one, other) -%}
    {%- set grams -%}
        transform(sequence(1, greatest(least(length(TEXT), 1000) - 3, 1)), i -> substring(TEXT, i, 4))
    {%- endset -%}
    {%- set a, b = grams | replace('TEXT', one), grams | replace('TEXT', other) -%}
    case
        when least(length({{ one }}), length({{ other }})) < 0.5 * greatest(length({{ one }}), length({{ other }})) then 0
        else array_size(array_intersect({{ a }}, {{ b }})) / cast(array_size(array_union({{ a }}, {{ b }})) as double)
    end
{%- endmacro %}

{#- DuckDB edits bytes: here each byte becomes one character. -#}
{% macro spark__edit_likeness(before, after) -%}
    {%- set bytes = "decode(encode(left(TEXT, 4000), 'UTF-8'), 'ISO-8859-1')" -%}
    {%- set a, b = bytes | replace('TEXT', before), bytes | replace('TEXT', after) -%}
    case
        when {{ before }} = {{ after }} then 1.0
        else
            1 - levenshtein({{ a }}, {{ b }})
            / cast(greatest(octet_length(left({{ before }}, 4000)), octet_length(left({{ after }}, 4000)), 1) as double)
    end
{%- endmacro %}

{#- What DuckDB takes for a number, with single _ between digits; to Java `1d` is one, too. -#}
{% macro spark__number_in(text) -%}
    {%- set space -%} [\\t\\n\\f\\r ]*+ {%- endset -%}
    {%- set digits = '[0-9]++(?:_[0-9]++)*+' -%}
    {%- set number = '(?:' ~ digits ~ '[.]?(?:' ~ digits ~ ')?|[.]' ~ digits ~ ')(?:[eE][-+]?' ~ digits ~ ')?' -%}
    try_cast(
        case
            when {{ text }} rlike '^{{ space }}[-+]?(?:{{ number }}|(?i:inf(?:inity)?|nan)){{ space }}\\z'
                then regexp_replace({{ text }}, '[_\\t\\n\\f\\r ]', '')
        end as double
    )
{%- endmacro %}

{#- Expressions of features.csv are DuckDB's: DuckDB computes them on the executors, in functions that
    flows/transform/spark_functions.py adds to the session. -#}
{% macro spark__own_value(feature) -%}
    {%- set value = 'own__' ~ feature.feature ~ '(' ~ feature.columns | join(', ') ~ ')' -%}
    {%- if feature.side in ('input', 'output') -%}
        case when side = '{{ feature.side }}' then {{ value }} end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}
