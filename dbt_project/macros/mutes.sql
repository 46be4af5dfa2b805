{#- What a workspace says of a breach that nobody is to be told about: until when, and why; null for any other breach.
    A `*` in the subject or the cause of a mute stands for any text. -#}
{% macro mute_words(day, subject, cause) -%}
    case
        {% for mute in var('mutes') -%}
            {%- set column = subject if mute.subject else cause -%}
            {%- set pattern = (mute.subject or mute.cause) | replace('!', '!!') | replace('%', '!%') | replace('_', '!_') -%}
            when
                {{ column }} like {{ text_literal(pattern | replace('*', '%')) }} escape '!'
                and {{ day }} <= date '{{ mute.until }}'
                then {{ text_literal('Muted until ' ~ mute.until ~ ': ' ~ mute.reason) }}
        {% endfor -%}
        when 1 = 0 then ''
    end
{%- endmacro %}

{#- A text as a literal of SQL. -#}
{% macro text_literal(text) -%}
    {{ adapter.dispatch('text_literal')(text) }}
{%- endmacro %}

{% macro duckdb__text_literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}
