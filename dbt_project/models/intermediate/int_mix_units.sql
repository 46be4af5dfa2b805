{#- The members of each mix that a call is of. A mix of which a call has no member or several has a row without a member
    for each of its calls, and that row alone counts the call (`weight`). -#}
{%- set call_keys = ['day', 'route', 'cluster_key', 'subject_id'] -%}

with calls as (
    select
        *,
        call_id as subject_id
    from {{ ref('int_calls') }}
    where not is_cache_hit
),

answers as (
    select * from calls
    where not is_error
),

topics as (
    select * from {{ ref('stg_topics') }}
    where origin = 'production' and side = 'input' and topic_id is not null
),

tools as (
    select
        {{ call_keys | join(', ') }},
        {{ tool_names('output_json') }} as tool
    from answers
),

languages as (
    select * from {{ ref('int_text_words') }}
    where language_code is not null
),

fields as (
    select * from {{ ref('int_text_fields') }}
),

-- A key that is there twice, or is like another one when it is cut, counts once. A value that ends like the name of a
-- presence is left out: it would be taken for one.
field_members as (
    {% for kind, member in [
        ('field:', "field_path || ':present'"),
        ('field:', "field_path || '=' || value"),
        ('field_type:', "field_path || '=' || json_type"),
    ] -%}
        select
            {{ call_keys | join(', ') }},
            '{{ kind }}' as kind,
            {{ member }} as member
        from fields
        where field_path is not null{{ " and value not like '%:present'" if 'value' in member }}
        {% if not loop.last %}union{% endif %}
    {% endfor -%}
)

{% for kind, source, member in [
    ('model:', 'answers', 'model_served'),
    ('prompt:', 'answers', 'prompt_version'),
    ('error:', 'calls', 'error_class'),
    ('tool:', 'answers', 'null'),
] -%}
    select
        {{ call_keys | join(', ') }},
        'pair' as side,
        '{{ kind }}' as kind,
        {{ member }} as member,
        1 as weight
    from {{ source }}
    union all
{% endfor -%}
select
    answers.day,
    answers.route,
    answers.cluster_key,
    answers.subject_id,
    'input' as side,
    'topic:' as kind,
    topics.topic_series as member,
    1 as weight
from answers
inner join topics on answers.day = topics.day and answers.subject_id = topics.subject_id
union all
select distinct
    {{ call_keys | join(', ') }},
    'pair' as side,
    'tool:' as kind,
    {{ member_name('tool') }} as member,
    0 as weight
from tools
union all
select
    {{ call_keys | join(', ') }},
    side,
    'language:' as kind,
    language_code as member,
    1 as weight
from languages
union all
{% for kind in ['field:', 'field_type:'] -%}
    select
        {{ call_keys | join(', ') }},
        'output' as side,
        '{{ kind }}' as kind,
        null as member,
        1 as weight
    from fields
    where field_path is null and json_type = 'object'
    union all
{% endfor -%}
select
    {{ call_keys | join(', ') }},
    'output' as side,
    kind,
    member,
    0 as weight
from field_members
