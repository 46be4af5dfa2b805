select
    day,
    label_id,
    subject,
    subject_id,
    route,
    criterion,
    criterion_version,
    annotator,
    annotator_kind,
    -- Without quotes DuckDB takes it for a clause.
    "at",  -- noqa: RF06
    passed,
    failure_mode,
    note,
    queue_day,
    draw,
    inclusion_probability,
    stratum,
    stratum_size,
    sample_size,
    judge,
    judge_verdict,
    blind as is_blind,
    seconds,
    retracts
from {{ source('lake', 'annotations') }}
