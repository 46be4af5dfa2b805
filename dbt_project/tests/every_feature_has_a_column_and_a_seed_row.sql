-- depends_on: {{ ref('int_text_features') }}
-- depends_on: {{ ref('int_pair_features') }}
-- depends_on: {{ ref('int_call_signals') }}
with measured as (
    select cast(null as {{ type_string() }}) as feature
    where false
    {%- if execute %}
    {%- for relation in [ref('int_text_features'), ref('int_pair_features'), ref('int_call_signals')] %}
    {%- for column in adapter.get_columns_in_relation(relation) if column.name not in text_keys() + text_marks() + signal_marks() %}
    union all
    select '{{ column.name }}' as feature
    {%- endfor %}
    {%- endfor %}
    {%- endif %}
),

-- The members of a mix of calls have one row together and no column; so have criteria.
seeded as (
    select feature from {{ ref('features') }}
    where feature not like '%:'
)

select
    measured.feature as column_without_seed_row,
    seeded.feature as seed_row_without_column
from measured
full outer join seeded on measured.feature = seeded.feature
where measured.feature is null or seeded.feature is null
