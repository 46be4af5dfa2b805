select
    day,
    route,
    criterion,
    criterion_version,
    window_days,
    n_labels,
    n_judged,
    failure_rate,
    ci_low,
    ci_high,
    method,
    n_calibration,
    of_labels_alone,
    ci_low_alone,
    ci_high_alone,
    reason
from {{ ref('int_label_rates') }}
where {{ is_day_to_build(ref('int_label_rates')) }}
