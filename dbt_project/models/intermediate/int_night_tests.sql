with series_tests as (
    select * from {{ ref('int_series_tests') }}
    where {{ is_built_day() }}
),

topic_tests as (
    select * from {{ ref('stg_topic_tests') }}
    where {{ is_built_day() }}
),

-- A version's topics have counts on days before it too, but are tested from its first day on.
catalog as (
    select
        day,
        route,
        topic_series
    from {{ ref('stg_topic_catalog') }}
    where side = 'input' and {{ is_built_day() }}
),

judge_tests as (
    select * from {{ ref('stg_anchor_tests') }}
    where {{ is_built_day() }} and p_value is not null
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
        series_tests.window_nights,
        series_tests.moved,
        series_tests.p_value,
        case
            when series_tests.feature = 'calls' then 'volume'
            when series_tests.feature = 'output_profile' then 'group'
            else coalesce(features.kind, 'share')
        end as kind
    from series_tests
    left join features on {{ seed_feature('series_tests.feature') }} = features.feature
    left join catalog
        on
            series_tests.day = catalog.day
            and series_tests.route = catalog.route
            and series_tests.feature = 'topic:' || catalog.topic_series
    where series_tests.feature not like 'topic:%' or catalog.topic_series is not null
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
        1 as window_nights,
        null as moved,
        p_value,
        'group' as kind
    from topic_tests
    union all
    select
        day,
        route,
        'judge' as side,
        'judge:' || judge as feature,
        unlike as observed,
        unlike_before as expected,
        unlike - unlike_before as effect,
        n_items as n,
        null as n_effective,
        window_nights,
        null as moved,
        p_value,
        'judge' as kind
    from judge_tests
),

-- What has too few calls to be a breach takes no part in the control, where it would let others pass more easily.
eligible as (
    select
        *,
        case
            when
                case kind
                    when 'volume' then greatest(n, exp(expected) - 1) >= {{ threshold('min_calls', 'route') }}
                    when 'group' then true
                    when 'judge' then true
                    else n >= {{ threshold('min_calls', 'route') }}
                end
                then p_value
        end as p_controlled,
        case kind
            when 'share' then abs(effect) >= {{ threshold('min_drift_delta', 'route') }}
            when 'number' then abs(effect) >= {{ threshold('min_drift_shift', 'route') }}
            when 'judge' then effect >= {{ threshold('min_judge_shift') }}
            when 'volume' then abs(effect) >= {{ threshold('min_volume_shift', 'route') }}
            else true
        end as is_large
    from tests
),

ranked as (
    select
        *,
        count(p_controlled) over (partition by day) as family_size,
        row_number() over (partition by day order by p_controlled nulls last, route, side, feature) as family_rank
    from eligible
),

adjusted as (
    select
        *,
        {{ benjamini_hochberg('p_controlled', 'family_rank', 'family_size', ['day']) }} as q_value
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
    window_nights,
    moved,
    p_value,
    case when p_controlled is not null then q_value end as q_value,
    coalesce(
        is_large and q_value <= {{ threshold('max_q_value', 'route') }} and p_controlled is not null, false
    ) as is_breach,
    coalesce(is_large and p_controlled <= {{ threshold('open_p_value', 'route') }}, false) as is_ongoing
from adjusted
