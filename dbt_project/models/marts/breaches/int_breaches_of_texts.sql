{{ config(schema='intermediate', materialized='ephemeral', contract={'enforced': false}) }}

with skew as (
    select * from {{ ref('fct_feature_skew_daily') }}
    where is_breach
),

features as (
    select * from {{ ref('features') }}
),

worded as (
    select
        skew.*,
        features.kind as feature_kind,
        features.severity,
        case
            -- The mix of calls: "answered by", and then whose share it is.
            when features.feature <> skew.feature
                then features.description || ' ' || substr(skew.feature, length(features.feature) + 1)
            else features.description
        end as description,
        case skew.side when 'pair' then 'calls' else skew.side || 's' end as noun,
        case when skew.reference = 'trailing' then 'drift' else 'skew' end as kind,
        case
            when skew.reference = 'trailing' then 'trailing {{ var("window_days") }} days' else 'dev set'
        end as reference_words,
        case
            when skew.value_current > skew.value_reference then 'rose' else 'fell'
        end as direction
    from skew
    inner join features on {{ seed_feature('skew.feature') }} = features.feature
)

select
    day,
    kind,
    {{ subject_part('route') }} || '/' || side || '/' || {{ subject_part('feature') }} as subject,
    severity,
    case feature_kind
        when 'share'
            then
                'On route ' || route || ', ' || noun || ' ' || description || ' ' || direction
                || ' from ' || {{ percent('value_reference') }} || ' (' || reference_words || ')'
                || ' to ' || {{ percent('value_current') }} || ' on ' || cast(day as varchar) || '.'
        else
            'On route ' || route || ', ' || description || ' in ' || noun || ' ' || direction
            || ' from ' || {{ figure('value_reference') }} || ' on average (' || reference_words || ')'
            || ' to ' || {{ figure('value_current') }} || ' on ' || cast(day as varchar)
            || ' (PSI ' || {{ figure('psi') }} || ').'
    end as summary,
    {{ json_object([
        ('route', 'route'),
        ('side', 'side'),
        ('feature', 'feature'),
        ('reference', 'reference'),
        ('value_reference', 'value_reference'),
        ('value_current', 'value_current'),
        ('n_reference', 'n_reference'),
        ('n_current', 'n_current'),
        ('psi', 'psi'),
        ('ks', 'ks'),
        ('share_delta', 'share_delta'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
    ]) }} as evidence_json
from worded
