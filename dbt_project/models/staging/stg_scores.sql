select
    day,
    subject,
    subject_id,
    run_id,
    route,
    criterion,
    passed as is_passed
from {{ source('lake', 'scores') }}
