with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where slice = '*' and {{ is_shadow_run() }} and {{ is_day_to_build(ref('stg_comparisons')) }}
),

samples as (
    select
        day,
        run_id,
        route,
        max(n_eligible) as n_eligible,
        max(inclusion_probability) as inclusion_probability
    from {{ ref('stg_shadow_samples') }}
    group by day, run_id, route
)

select
    comparisons.day,
    comparisons.pinned,
    comparisons.candidate,
    comparisons.route,
    comparisons.criterion,
    comparisons.severity,
    comparisons.delta,
    comparisons.ci_low,
    comparisons.ci_high,
    comparisons.p_value,
    comparisons.q_value,
    comparisons.margin,
    comparisons.minimum_detectable,
    comparisons.verdict,
    comparisons.n_examples,
    comparisons.n_unscored,
    comparisons.n_regressed,
    comparisons.n_repaired,
    comparisons.n_unanswered,
    comparisons.ci_low_worst,
    comparisons.ci_high_worst,
    comparisons.is_graded,
    comparisons.open_because,
    samples.n_eligible,
    samples.inclusion_probability
from comparisons
inner join samples
    on comparisons.day = samples.day and comparisons.run_id = samples.run_id and comparisons.route = samples.route
