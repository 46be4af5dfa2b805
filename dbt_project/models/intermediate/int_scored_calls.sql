with scores as (
    select * from {{ ref('stg_scores') }}
    where subject = 'interaction'
),

calls as (
    select * from {{ ref('int_calls') }}
    where not is_cache_hit and not is_error
)

select
    scores.day,
    'production' as origin,
    calls.route,
    calls.model_served,
    calls.prompt_version,
    calls.release,
    'output' as side,
    scores.subject_id,
    calls.cluster_key,
    scores.criterion,
    scores.criterion_version,
    'criterion:' || scores.criterion as feature,
    scores.is_passed
from scores
inner join calls
    on scores.day = calls.day and scores.subject_id = calls.call_id
