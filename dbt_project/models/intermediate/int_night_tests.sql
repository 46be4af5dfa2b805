with series_tests as (
    select * from {{ ref('int_series_tests') }}
    where {{ is_built_day() }}
),

topic_tests as (
    select * from {{ ref('stg_topic_tests') }}
    where {{ is_built_day() }}
),

features as (
    select * from {{ ref('features') }}
),

tests as (
    select
        series_tests.day,
        series_tests.route,
        series_tests.side,
        series_tests.feature,
        series_tests.observed,
        series_tests.expected,
        series_tests.effect,
        series_tests.n,
        series_tests.n_effective,
        series_tests.p_value,
        case
            when series_tests.feature = 'calls' then 'volume'
            else coalesce(features.kind, 'share')
        end as kind
    from series_tests
    left join features on {{ seed_feature('series_tests.feature') }} = features.feature
    union all
    select
        day,
        route,
        side,
        test || coalesce(':' || topic_id, '') as feature,
        statistic as observed,
        null as expected,
        null as effect,
        n_current as n,
        null as n_effective,
        p_value,
        'group' as kind
    from topic_tests
),

ranked as (
    select
        *,
        count(p_value) over (partition by day) as family_size,
        row_number() over (partition by day order by p_value nulls last, route, side, feature) as family_rank,
        case kind
            when 'share' then abs(effect) >= {{ threshold('min_drift_delta') }}
            when 'number' then abs(effect) >= {{ threshold('min_drift_shift') }}
            when 'volume' then abs(effect) >= {{ threshold('min_volume_shift') }}
            else true
        end
        and case kind
            when 'volume' then greatest(n, exp(expected) - 1) >= {{ threshold('min_calls') }}
            when 'group' then true
            else n >= {{ threshold('min_calls') }}
        end as is_large
    from tests
),

adjusted as (
    select
        *,
        {{ benjamini_hochberg('p_value', 'family_rank', 'family_size', ['day']) }} as q_value
    from ranked
)

select
    day,
    route,
    side,
    feature,
    kind,
    observed,
    expected,
    effect,
    n,
    n_effective,
    p_value,
    case when p_value is not null then q_value end as q_value,
    coalesce(is_large and q_value <= {{ threshold('max_q_value') }} and p_value is not null, false) as is_breach,
    coalesce(is_large and p_value <= {{ threshold('open_p_value') }}, false) as is_ongoing
from adjusted
