select
    day,
    run_id,
    judge,
    route,
    criterion,
    n_items,
    n_nights,
    window_nights,
    agreement,
    agreement_before,
    unlike,
    unlike_before,
    p_value,
    served_names,
    fingerprints
from {{ source('lake', 'anchor_tests') }}
