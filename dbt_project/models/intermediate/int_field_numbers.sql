{#- Numbers of fields: what is added up, and counted into bins. -#}
{%- set keys = ['day', 'route', 'cluster_key', 'subject_id'] -%}

with fields as (
    select * from {{ ref('int_text_fields') }}
    where field_path is not null
),

numbers as (
    {% for prefix, column in [
        ('field_length:', 'n_characters'),
        ('field_number:', 'number'),
        ('field_size:', 'n_elements'),
    ] -%}
        select
            {{ keys | join(', ') }},
            '{{ prefix }}' || field_path as feature,
            -- Of a key that is there twice, the largest.
            max(cast({{ column }} as double)) as value
        from fields
        where {{ column }} is not null
        group by {{ keys | join(', ') }}, field_path
        {% if not loop.last %}union all{% endif %}
    {% endfor -%}
)

select
    {{ keys | join(', ') }},
    'output' as side,
    feature,
    value,
    case when value < 0 then -ln(1 - value) else ln(1 + value) end as scaled,
    cast(case when value < 0 then -1 else 1 end * floor(8 * {{ binary_log('1 + abs(value)') }}) as double) as bin
from numbers
