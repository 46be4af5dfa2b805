with weighed as (
    select * from {{ ref('int_skew_measures') }}
),

compared as (
    select
        *,
        {{ two_proportion_z('value_current', 'n_worth', 'value_reference', 'n_reference') }} as z,
        {{ ks_lambda('ks', 'n_worth', 'n_reference') }} as ks_scaled
    from weighed
),

tested as (
    select
        *,
        case
            when n_reference = 0 then null
            when reference = 'trailing' then case when is_whole then p_of_past end
            when kind = 'share' then {{ normal_two_sided('z') }}
            else {{ kolmogorov_tail('ks_scaled') }}
        end as p_value
    from compared
),

-- Skew can persist, so each reference is a separate family. Drift is in one family with all series of the night.
ranked as (
    select
        *,
        case when is_whole and reference <> 'trailing' then p_value end as family_p,
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
            when reference = 'trailing' then case when is_whole and p_value is not null then q_of_past end
            when family_p is not null
                then {{ benjamini_hochberg('family_p', 'family_rank', 'family_size', ['day', 'reference']) }}
        end as q_value,
        case
            when kind = 'share' then abs(share_delta) >= {{ threshold('min_share_delta', 'route') }}
            -- PSI alone is always large for few calls, because most of its bins are then empty.
            else psi >= {{ threshold('min_psi', 'route') }} and ks >= {{ threshold('min_ks', 'route') }}
        end
        and least(n_current, n_reference) >= {{ threshold('min_calls', 'route') }} as is_large,
        is_whole and reference = 'dev' and (side = 'input' or compare_expected) as may_breach
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
        case
            when reference = 'trailing' then is_whole and is_breach_of_past
            else may_breach and is_large and q_value <= {{ threshold('max_q_value', 'route') }}
        end,
        false
    ) as is_breach,
    coalesce(
        case
            when reference = 'trailing' then is_whole and is_ongoing_of_past
            else may_breach and is_large and p_value <= {{ threshold('open_p_value', 'route') }}
        end,
        false
    ) as is_ongoing,
    is_binned,
    case
        when mix_shift is null then null
        when kind = 'share' then greatest(0, least(1, value_current + mix_shift))
        when grid in ('log', 'micro') then value_current * exp(mix_shift)
        else value_current + mix_shift
    end as value_constant_mix,
    case when reference = 'trailing' and is_whole and kind = 'share' then expected_of_past end as value_expected,
    case when reference = 'trailing' and is_whole then effect_of_past end as effect,
    kind as feature_kind,
    case when reference = 'trailing' and is_whole then window_nights end as window_nights,
    window_first_day,
    value_window,
    value_before_window
from adjusted
