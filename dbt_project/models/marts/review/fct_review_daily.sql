{{ config(materialized='table') }}

with queue as (
    select
        day,
        route,
        subject,
        subject_id,
        criterion,
        max(case when is_second then 1 else 0 end) as is_for_two
    from {{ ref('stg_review_queue') }}
    group by day, route, subject, subject_id, criterion
),

reviews as (
    select
        day,
        route,
        subject,
        subject_id,
        criterion,
        count(*) as people
    from {{ ref('int_reviews') }}
    group by day, route, subject, subject_id, criterion
),

answers as (
    select
        queue.day,
        queue.route,
        count(*) as queued,
        count(reviews.people) as reviewed,
        cast(sum(queue.is_for_two) as bigint) as for_two,
        {{ count_if('queue.is_for_two = 1 and reviews.people > 1') }} as reviewed_by_two
    from queue
    left join reviews
        on
            queue.day = reviews.day
            and queue.route = reviews.route
            and queue.subject = reviews.subject
            and queue.subject_id = reviews.subject_id
            and queue.criterion = reviews.criterion
    group by queue.day, queue.route
),

people as (
    select
        day,
        route,
        count(distinct annotator) as annotators,
        {{ percentile('seconds', 0.50) }} as seconds_median
    from {{ ref('int_reviews') }}
    group by day, route
)

select
    answers.day,
    answers.route,
    answers.queued,
    answers.reviewed,
    answers.for_two,
    answers.reviewed_by_two,
    coalesce(people.annotators, 0) as annotators,
    people.seconds_median
from answers
left join people on answers.day = people.day and answers.route = people.route
