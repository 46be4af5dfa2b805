select
    day,
    run_id,
    model,
    served_names,
    fingerprints,
    n_prompts,
    n_answers,
    p_value
from {{ source('lake', 'canaries') }}
