with binned as (
    select * from {{ ref('int_feature_measures') }}
),

exact as (
    select * from {{ ref('int_feature_distances') }}
),

measures as (
    select
        binned.day,
        binned.route,
        binned.side,
        binned.feature,
        binned.reference,
        binned.model_served,
        binned.prompt_version,
        binned.value_reference,
        binned.value_current,
        binned.n_reference,
        binned.n_current,
        binned.psi,
        binned.js_distance,
        coalesce(exact.ks, binned.ks) as ks,
        coalesce(exact.wasserstein / binned.deviation_reference, binned.wasserstein) as wasserstein,
        exact.ks is null as is_without_values
    from binned
    left join exact
        on
            binned.day = exact.day
            and binned.route = exact.route
            and binned.side = exact.side
            and binned.feature = exact.feature
            and binned.reference = exact.reference
            and binned.model_served = '*'
            and binned.prompt_version = '*'
),

features as (
    select * from {{ ref('features') }}
),

night as (
    select * from {{ ref('int_night_tests') }}
),

constant_mix as (
    select * from {{ ref('int_constant_mix') }}
),

windows as (
    select * from {{ ref('int_window_values') }}
)

-- The noise of a day's calls gives their effective number; a slice gets its proportion of it.
select
    measures.day,
    measures.route,
    measures.side,
    measures.feature,
    measures.reference,
    measures.model_served,
    measures.prompt_version,
    measures.value_reference,
    measures.value_current,
    measures.n_reference,
    measures.n_current,
    measures.psi,
    measures.js_distance,
    measures.ks,
    measures.wasserstein,
    features.kind,
    features.grid,
    features.compare_expected,
    night.p_value as p_of_past,
    night.q_value as q_of_past,
    night.is_breach as is_breach_of_past,
    night.is_ongoing as is_ongoing_of_past,
    night.expected as expected_of_past,
    night.effect as effect_of_past,
    night.window_nights,
    windows.window_first_day,
    windows.value_window,
    windows.value_before_window,
    constant_mix.mix_shift,
    measures.model_served = '*' and measures.prompt_version = '*' as is_whole,
    features.kind = 'number' and measures.is_without_values as is_binned,
    case when features.kind = 'share' then measures.value_current - measures.value_reference end as share_delta,
    measures.n_current * coalesce(least(night.n_effective / night.n, 1), 1) as n_worth
from measures
inner join features on {{ seed_feature('measures.feature') }} = features.feature
left join night
    on
        measures.day = night.day
        and measures.route = night.route
        and measures.side = night.side
        and measures.feature = night.feature
left join constant_mix
    on
        measures.reference = 'trailing'
        and measures.model_served = '*'
        and measures.prompt_version = '*'
        and measures.side <> 'input'
        and measures.day = constant_mix.day
        and measures.route = constant_mix.route
        and measures.side = constant_mix.side
        and measures.feature = constant_mix.feature
left join windows
    on
        measures.reference = 'trailing'
        and measures.model_served = '*'
        and measures.prompt_version = '*'
        and measures.day = windows.day
        and measures.route = windows.route
        and measures.side = windows.side
        and measures.feature = windows.feature
