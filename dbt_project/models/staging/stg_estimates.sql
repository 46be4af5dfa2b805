select
    day,
    run_id,
    model,
    arm,
    route,
    criterion,
    slice,
    severity,
    min_pass_rate,
    n_examples,
    n_repeats,
    n_unscored,
    pass_rate,
    ci_low,
    ci_high
from {{ source('lake', 'estimates') }}
