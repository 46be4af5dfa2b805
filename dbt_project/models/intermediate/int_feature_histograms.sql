with features as (
    select * from {{ ref('int_feature_histograms_daily') }}
),

mix as (
    select * from {{ ref('int_mix_daily') }}
    where feature <> kind  -- the row of all calls, which is no member
)

select
    day,
    origin,
    route,
    model_served,
    prompt_version,
    side,
    feature,
    bin,
    n,
    total,
    total_squares
from features
{%- for bin, n in [(1, 'total'), (0, 'n - total')] %}
    union all
    select
        day,
        'production' as origin,
        route,
        '*' as model_served,
        '*' as prompt_version,
        side,
        feature,
        {{ bin }} as bin,
        cast({{ n }} as bigint) as n,
        {{ bin }} * total as total,
        {{ bin }} * total as total_squares
    from mix
    where {{ n }} > 0
{%- endfor %}
