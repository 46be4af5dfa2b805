with binned as (
    select * from {{ ref('int_feature_measures') }}
),

exact as (
    select * from {{ ref('int_feature_distances') }}
),

measures as (
    select
        binned.* exclude (ks, wasserstein),
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

compared as (
    select
        measures.*,
        features.kind,
        features.compare_expected,
        features.kind = 'number' and measures.is_without_values as is_binned,
        case when features.kind = 'share' then measures.value_current - measures.value_reference end as share_delta,
        {{ two_proportion_z(
            'measures.value_current', 'measures.n_current', 'measures.value_reference', 'measures.n_reference'
        ) }} as z,
        {{ ks_lambda('measures.ks', 'measures.n_current', 'measures.n_reference') }} as ks_scaled,
        measures.model_served = '*' and measures.prompt_version = '*' as is_whole
    from measures
    inner join features on {{ seed_feature('measures.feature') }} = features.feature
),

tested as (
    select
        *,
        case
            when n_reference = 0 then null
            when kind = 'share' then {{ normal_two_sided('z') }}
            else {{ kolmogorov_tail('ks_scaled') }}
        end as p_value
    from compared
),

ranked as (
    select
        *,
        case when is_whole then p_value end as family_p,
        count(case when is_whole then p_value end) over (partition by day, reference) as family_size,
        row_number() over (
            partition by day, reference order by case when is_whole then p_value end nulls last
        ) as family_rank
    from tested
),

adjusted as (
    select
        *,
        case
            when family_p is not null
                then {{ benjamini_hochberg('family_p', 'family_rank', 'family_size', ['day', 'reference']) }}
        end as q_value,
        case
            when kind = 'share' then abs(share_delta) >= {{ threshold('min_share_delta') }}
            -- PSI alone is large for few calls, whatever they are: most of its bins are then empty.
            else psi >= {{ threshold('min_psi') }} and ks >= {{ threshold('min_ks') }}
        end as is_large,
        case
            when reference = 'holdout' then false
            when reference = 'dev' and side = 'output' then compare_expected
            else true
        end as may_breach
    from ranked
)

select
    day,
    route,
    side,
    feature,
    reference,
    model_served,
    prompt_version,
    value_reference,
    value_current,
    cast(n_reference as bigint) as n_reference,
    cast(n_current as bigint) as n_current,
    psi,
    js_distance,
    ks,
    wasserstein,
    share_delta,
    p_value,
    q_value,
    coalesce(
        may_breach
        and is_large
        and q_value <= {{ threshold('max_q_value') }}
        and least(n_current, n_reference) >= {{ threshold('min_calls') }},
        false
    ) as is_breach,
    is_binned
from adjusted
