{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set slice = 'day, origin, route, model_served, prompt_version, side, feature' -%}

with seeded as (
    select * from {{ ref('features') }}
),

fields as (
    select * from {{ ref('int_field_numbers') }}
    where {{ days }}
),

flags as (
    select cells.*
    from {{ ref('int_feature_cells_daily') }} as cells
    inner join seeded
        on {{ seed_feature('cells.feature') }} = seeded.feature and seeded.grid = 'flag'
    where {{ days }}
),

bins as (
    select
        {{ slice }},
        1 as bin,
        total as n,
        total,
        total as total_squares
    from flags
    where total > 0
    union all
    select
        {{ slice }},
        0 as bin,
        n - total as n,
        0 as total,
        0 as total_squares
    from flags
    where n > total
    {%- for relation in [ref('int_text_features'), ref('int_pair_features')] %}
        {%- for feature in features_of(relation) if feature.grid != 'flag' %}
    union all
    select
        day,
        origin,
        route,
        model_served,
        prompt_version,
        side,
        '{{ feature.name }}' as feature,
        {{ bin_of(feature) }} as bin,
        count(*) as n,
        {{ exact_sum(feature.name) }} as total,
        {{ exact_sum(feature.name ~ ' * ' ~ feature.name) }} as total_squares
    from {{ relation }}
    where {{ feature.name }} is not null and {{ days }}
    {%- if feature.sides != 'both' %} and side = '{{ feature.sides }}'{% endif %}
    group by day, origin, route, model_served, prompt_version, side, bin
    {%- endfor %}
    {%- endfor %}
),

added as (
    select
        day,
        origin,
        route,
        model_served,
        prompt_version,
        side,
        feature,
        bin,
        cast(sum(n) as bigint) as n,
        {{ exact_sum('total') }} as total,
        {{ exact_sum('total_squares') }} as total_squares,
        grouping(model_served) + grouping(prompt_version) as n_wholes
    from bins
    group by
        grouping sets (
            (day, origin, route, side, feature, bin),
            (day, origin, route, side, feature, bin, model_served),
            (day, origin, route, side, feature, bin, prompt_version)
        )
)

select
    day,
    origin,
    route,
    coalesce(model_served, '*') as model_served,
    coalesce(prompt_version, '*') as prompt_version,
    side,
    feature,
    bin,
    n,
    total,
    total_squares
from added
-- Examples have no model and no prompt version.
where origin = 'production' or n_wholes = 2
union all
select
    day,
    'production' as origin,
    route,
    '*' as model_served,
    '*' as prompt_version,
    side,
    feature,
    bin,
    count(*) as n,
    {{ exact_sum('value') }} as total,
    {{ exact_sum('value * value') }} as total_squares
from fields
group by day, route, side, feature, bin
