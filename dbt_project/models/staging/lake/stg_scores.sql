select
    day,
    subject,
    subject_id,
    run_id,
    model,
    route,
    example_id,
    repeat,
    criterion,
    criterion_version,
    score,
    passed as is_passed,
    reason
from {{ source('lake', 'scores') }}
