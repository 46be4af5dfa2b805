{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with feature_values as (
    select * from {{ ref('int_feature_values') }}
    where {{ is_day_to_build(ref('int_text_features')) }}
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
    count(*) as n,
    {{ exact_sum('value') }} as total,
    {{ exact_sum('value * value') }} as total_squares
from feature_values
group by
    grouping sets (
        (day, origin, route, side, feature, bin),
        (day, origin, route, side, feature, bin, model_served),
        (day, origin, route, side, feature, bin, prompt_version)
    )
having origin = 'production' or (grouping(model_served) = 1 and grouping(prompt_version) = 1)
