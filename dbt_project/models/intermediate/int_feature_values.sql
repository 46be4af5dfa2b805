{%- set keys = ['day', 'origin', 'route', 'model_served', 'prompt_version', 'side', 'subject_id'] -%}

with feature_values as (
    {{ unpivot_features(ref('int_text_features'), keys) }}
),

features as (
    select * from {{ ref('features') }}
)

select
    feature_values.day,
    feature_values.origin,
    feature_values.route,
    feature_values.model_served,
    feature_values.prompt_version,
    feature_values.side,
    feature_values.subject_id,
    feature_values.feature,
    feature_values.value,
    case features.grid
        when 'flag' then feature_values.value
        when 'unit' then floor(20 * feature_values.value)
        when 'log' then floor(4 * log2(1 + feature_values.value))
    end as bin
from feature_values
inner join features
    on
        feature_values.feature = features.feature
        and features.sides in ('both', feature_values.side)
