select
    day,
    route,
    version,
    parent,
    parent_day,
    model,
    criterion,
    n_examples,
    n_common,
    n_anchor,
    pass_rate_before,
    pass_rate_parent,
    pass_rate,
    delta,
    ci_low,
    ci_high,
    p_value,
    composition,
    reason
from {{ ref('stg_holdout_joins') }}
where {{ is_day_to_build(ref('stg_holdout_joins')) }}
