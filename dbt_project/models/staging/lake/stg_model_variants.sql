select
    day,
    run_id,
    route,
    model,
    arm,
    base,
    coalesce(prompt_version, 'as-is') as prompt_version,
    shots as n_shots,
    ends_on,
    n_examples,
    n_repeats,
    n_unscored,
    pass_rate,
    ci_low,
    ci_high
from {{ source('lake', 'model_variants') }}
