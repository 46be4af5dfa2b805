with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where {{ is_day_to_build(ref('stg_comparisons')) }}
)

select
    day,
    run_id,
    pinned,
    candidate,
    route,
    criterion,
    severity,
    delta,
    ci_low,
    ci_high,
    p_value,
    q_value,
    margin,
    minimum_detectable,
    verdict,
    n_examples,
    n_unscored,
    n_regressed,
    n_repaired,
    examples_enough,
    repeats_enough
from comparisons
where slice = '*' and not {{ is_shadow_run() }}
