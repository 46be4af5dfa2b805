with annotations as (
    select * from {{ ref('stg_annotations') }}
),

taken_back as (
    select distinct retracts
    from annotations
    where retracts is not null
),

-- A person who judges an answer again has judged it once. One who was unsure has looked at it.
ranked as (
    select
        annotations.queue_day as day,
        annotations.route,
        annotations.subject,
        annotations.subject_id,
        annotations.criterion,
        coalesce(annotations.annotator, '') as annotator,
        annotations.annotator_kind,
        annotations.at as judged_at,
        annotations.seconds,
        row_number() over (
            partition by
                annotations.queue_day,
                annotations.route,
                annotations.subject,
                annotations.subject_id,
                annotations.criterion,
                coalesce(annotations.annotator, '')
            order by annotations.at desc, annotations.label_id desc
        ) as from_last
    from annotations
    left join taken_back on annotations.label_id = taken_back.retracts
    where annotations.queue_day is not null and annotations.retracts is null and taken_back.retracts is null
)

select
    day,
    route,
    subject,
    subject_id,
    criterion,
    annotator,
    annotator_kind,
    judged_at,
    seconds
from ranked
where from_last = 1
