{%- set series = 'day, route, side, feature, reference, model_served, prompt_version' -%}

with bins as (
    select * from {{ ref('int_feature_bins') }}
),

shares as (
    select
        {{ series }},
        bin,
        n_current,
        n_reference,
        total_current,
        total_reference,
        squares_reference,
        n_current / nullif(cast(sum(n_current) over (partition by {{ series }}) as double), 0) as p,
        n_reference / nullif(cast(sum(n_reference) over (partition by {{ series }}) as double), 0) as q,
        (total_current + total_reference) / (n_current + n_reference) as bin_mean
    from bins
),

steps as (
    select
        *,
        sum(p - q) over (
            partition by {{ series }} order by bin rows between unbounded preceding and current row
        ) as cdf_difference,
        lead(bin_mean) over (partition by {{ series }} order by bin) - bin_mean as step_width
    from shares
),

measures as (
    select
        {{ series }},
        sum(n_current) as n_current,
        sum(n_reference) as n_reference,
        {{ exact_sum('total_current') }} / nullif(sum(n_current), 0) as value_current,
        {{ exact_sum('total_reference') }} / nullif(sum(n_reference), 0) as value_reference,
        {{ exact_sum('squares_reference') }} / nullif(sum(n_reference), 0) as mean_square_reference,
        {{ exact_sum(psi_term('p', 'q'), 15) }} as psi,
        {{ exact_sum(js_term('p', 'q'), 15) }} as js_divergence,
        max(abs(cdf_difference)) as ks,
        {{ exact_sum('abs(cdf_difference) * coalesce(step_width, 0)', 15) }} as wasserstein_unscaled
    from steps
    group by {{ series }}
)

select
    {{ series }},
    value_reference,
    value_current,
    n_reference,
    n_current,
    case when n_reference > 0 then psi end as psi,
    case when n_reference > 0 then sqrt(greatest(js_divergence, 0)) end as js_distance,
    ks,
    nullif(sqrt(greatest(mean_square_reference - value_reference * value_reference, 0)), 0) as deviation_reference,
    wasserstein_unscaled
    / nullif(sqrt(greatest(mean_square_reference - value_reference * value_reference, 0)), 0) as wasserstein
from measures
