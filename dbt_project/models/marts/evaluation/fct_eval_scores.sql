with estimates as (
    select * from {{ ref('stg_estimates') }}
    where {{ is_day_to_build(ref('stg_estimates')) }}
)

select
    day,
    run_id,
    model,
    route,
    criterion,
    arm,
    severity,
    min_pass_rate,
    n_examples,
    n_repeats,
    n_unscored,
    pass_rate,
    ci_low,
    ci_high,
    n_flaky,
    pass_hat_k,
    pass_at_k,
    spread,
    mean_score,
    need,
    {{ is_judge_changed('estimates') }} as is_judge_changed
from estimates
where slice = '*' and not {{ is_shadow_run() }}
