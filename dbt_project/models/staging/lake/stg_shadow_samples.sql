select
    day,
    run_id,
    route,
    call_id,
    n_eligible,
    inclusion_probability
from {{ source('lake', 'shadow_samples') }}
