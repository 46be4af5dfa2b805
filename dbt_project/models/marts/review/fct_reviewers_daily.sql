{{ config(materialized='table') }}

with reviews as (
    select * from {{ ref('int_reviews') }}
),

-- A median of medians is none: the person's own is that of all answers.
over_routes as (
    select
        day,
        annotator,
        {{ percentile('seconds', 0.50) }} as seconds_median
    from reviews
    group by day, annotator
),

by_route as (
    select
        day,
        route,
        annotator,
        max(annotator_kind) as annotator_kind,
        count(*) as reviewed,
        {{ percentile('seconds', 0.50) }} as seconds_median,
        max(judged_at) as last_at
    from reviews
    group by day, route, annotator
)

select
    by_route.day,
    by_route.route,
    by_route.annotator,
    by_route.annotator_kind,
    by_route.reviewed,
    by_route.seconds_median,
    over_routes.seconds_median as seconds_median_of_routes,
    by_route.last_at
from by_route
inner join over_routes on by_route.day = over_routes.day and by_route.annotator = over_routes.annotator
