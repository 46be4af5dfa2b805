{%- set signals = all_signals() -%}
{%- set keys = ['day', 'route', 'model_served'] -%}

with signals as (
    select * from {{ ref('int_call_signals') }}
    where {{ is_day_to_build(ref('int_call_signals')) }}
),

of_topics as (
    select
        {{ keys | join(', ') }},
        '*' as topic_id,
        {{ signals | join(', ') }},
        edit_likeness
    from signals
    union all
    select
        {{ keys | join(', ') }},
        topic_id,
        {{ signals | join(', ') }},
        edit_likeness
    from signals
    where topic_id is not null
),

counted as (
    select
        {{ keys | join(', ') }},
        topic_id,
        {%- for signal in signals %}
            count({{ signal }}) as of_{{ signal }},
            {{ count_if(signal) }} as n_{{ signal }},
            {{ count_if(signal) }} / nullif(cast(count({{ signal }}) as double), 0) as {{ signal }}_rate,
        {%- endfor %}
        cast(avg(edit_likeness) as double) as edit_likeness
    from of_topics
    group by {{ keys | join(', ') }}, topic_id
)

select
    {{ keys | join(',\n    ') }},
    topic_id,
    {%- for signal in signals %}
        of_{{ signal }},
        case when of_{{ signal }} > 0 then n_{{ signal }} end as n_{{ signal }},
        {{ signal }}_rate,
        {{ wilson(signal ~ '_rate', 'of_' ~ signal, '-') }} as {{ signal }}_low,
        {{ wilson(signal ~ '_rate', 'of_' ~ signal, '+') }} as {{ signal }}_high,
    {%- endfor %}
    edit_likeness
from counted
