{{ config(materialized='table') }}

with annotations as (
    select * from {{ ref('stg_annotations') }}
),

taken_back as (
    select distinct retracts
    from annotations
    where retracts is not null
),

-- The last of each person counts. One by which a person is unsure takes the place of an earlier one.
ranked as (
    select
        annotations.*,
        coalesce(annotations.annotator, '') as annotator_or_none,
        coalesce(annotations.draw = 'disagreement', false) as is_final,
        row_number() over (
            partition by
                annotations.route,
                annotations.subject,
                annotations.subject_id,
                annotations.criterion,
                annotations.criterion_version,
                annotations.annotator,
                coalesce(annotations.draw = 'disagreement', false)
            order by annotations.at desc, annotations.label_id desc
        ) as from_last
    from annotations
    left join taken_back on annotations.label_id = taken_back.retracts
    where annotations.retracts is null and taken_back.retracts is null
),

-- A criterion that was accepted from a suggestion gives a reason. It was made from answers that people had judged, and
-- is first used by the night of the day of `since`, so labels of that day were there too.
first_judged as (
    select
        annotations.route,
        annotations.subject,
        annotations.subject_id,
        min(annotations.at) as first_at
    from annotations
    group by annotations.route, annotations.subject, annotations.subject_id
),

suggested as (
    select
        route,
        criterion,
        criterion_version,
        min(since) as since
    from {{ ref('stg_criteria') }}
    where reason is not null
    group by route, criterion, criterion_version
),

-- Imported labels do not name a judge and its verdict: theirs is the newest.
judges as (
    select
        route,
        criterion,
        criterion_version,
        judge,
        row_number() over (
            partition by route, criterion, criterion_version order by day desc, judge asc
        ) as from_last
    from {{ ref('int_review_strata') }}
    where judge is not null
),

verdicts as (
    select
        subject,
        subject_id,
        criterion,
        criterion_version,
        is_passed,
        row_number() over (
            partition by subject, subject_id, criterion, criterion_version order by day desc, run_id desc
        ) as from_last
    from {{ ref('stg_scores') }}
    where
        is_passed is not null
        and day between {{ window_start(first_day()) }} and {{ last_day() }}
        and subject_id in (
            select brought.subject_id from annotations as brought
            where brought.annotator_kind = 'imported'
        )
)

select
    coalesce(ranked.queue_day, ranked.day) as day,
    ranked.route,
    ranked.subject,
    ranked.subject_id,
    ranked.criterion,
    ranked.criterion_version,
    ranked.annotator_or_none as annotator,
    ranked.annotator_kind,
    ranked.at,
    ranked.draw,
    ranked.is_final,
    ranked.inclusion_probability,
    ranked.stratum,
    coalesce(ranked.judge, judges.judge) as judge,
    not coalesce(ranked.judge_verdict, verdicts.is_passed) as is_failed_by_judge,
    not ranked.passed as is_failed,
    coalesce(
        ranked.draw in ('random', 'targeted')
        and ranked.queue_day is not null
        and ranked.stratum is not null
        and ranked.inclusion_probability > 0, false
    ) as is_drawn,
    coalesce(ranked.annotator_kind = 'imported', false) as is_imported,
    coalesce(ranked.is_blind, true) as is_blind,
    suggested.since is null
    or first_judged.first_at >= {{ dateadd('day', 1, 'suggested.since') }}
        as is_held_out,
    row_number() over (
        partition by
            ranked.route, ranked.subject, ranked.subject_id, ranked.criterion, ranked.criterion_version
        order by ranked.at, ranked.label_id
    ) as nth
from ranked
inner join first_judged
    on
        ranked.route = first_judged.route
        and ranked.subject = first_judged.subject
        and ranked.subject_id = first_judged.subject_id
left join suggested
    on
        ranked.route = suggested.route
        and ranked.criterion = suggested.criterion
        and ranked.criterion_version = suggested.criterion_version
left join judges
    on
        ranked.route = judges.route
        and ranked.criterion = judges.criterion
        and ranked.criterion_version = judges.criterion_version
        and judges.from_last = 1
left join verdicts
    on
        ranked.subject = verdicts.subject
        and ranked.subject_id = verdicts.subject_id
        and ranked.criterion = verdicts.criterion
        and ranked.criterion_version = verdicts.criterion_version
        and verdicts.from_last = 1
where ranked.from_last = 1 and ranked.passed is not null and ranked.criterion_version is not null
