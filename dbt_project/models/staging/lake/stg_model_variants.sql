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
    ci_high,
    coalesce(n_unanswered, 0) as n_unanswered,
    coalesce(mean_score, pass_rate) as mean_score
from {{ source('lake', 'model_variants') }}
