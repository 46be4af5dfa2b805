select
    day,
    route,
    criterion,
    criterion_version,
    judge,
    stratum,
    stratum_size,
    sample_size
from {{ source('lake', 'review_strata') }}
