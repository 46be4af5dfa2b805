-- depends_on: {{ ref('int_text_features') }}
-- depends_on: {{ ref('int_pair_features') }}
with measured as (
    select cast(null as {{ type_string() }}) as feature
    where false
    {%- if execute %}
    {%- for relation in [ref('int_text_features'), ref('int_pair_features')] %}
    {%- for column in adapter.get_columns_in_relation(relation) if column.name not in text_keys() + text_marks() %}
    union all
    select '{{ column.name }}' as feature
    {%- endfor %}
    {%- endfor %}
    {%- endif %}
),

-- The mix of calls has one row for all of its members and no column; so have criteria.
seeded as (
    select feature from {{ ref('features') }}
    where {{ seed_feature('feature') }} not in ('model:', 'prompt:', 'criterion:')
)

select
    measured.feature as column_without_seed_row,
    seeded.feature as seed_row_without_column
from measured
full outer join seeded on measured.feature = seeded.feature
where measured.feature is null or seeded.feature is null
