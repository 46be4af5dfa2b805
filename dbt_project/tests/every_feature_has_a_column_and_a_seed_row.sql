-- depends_on: {{ ref('int_text_features') }}
{%- set keys = ['day', 'origin', 'route', 'model_served', 'prompt_version', 'side', 'subject_id'] %}

with measured as (
    select cast(null as varchar) as feature
    where false
    {%- if execute %}
    {%- for column in adapter.get_columns_in_relation(ref('int_text_features')) if column.name not in keys %}
    union all
    select '{{ column.name }}' as feature
    {%- endfor %}
    {%- endif %}
),

seeded as (
    select feature from {{ ref('features') }}
)

select
    measured.feature as column_without_seed_row,
    seeded.feature as seed_row_without_column
from measured
full outer join seeded on measured.feature = seeded.feature
where measured.feature is null or seeded.feature is null
