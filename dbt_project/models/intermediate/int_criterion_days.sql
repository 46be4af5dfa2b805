with scores as (
    select * from {{ ref('int_series_daily') }}
    where
        dimension = 'criterion_version'
        and day >= cast({{ dateadd('day', -1 * nights_together(), window_start(first_day())) }} as date)
),

ranked as (
    select
        *,
        row_number() over (partition by day, route, side, feature order by n desc, member asc) as place
    from scores
)

select
    day,
    route,
    side,
    feature,
    member as criterion_version
from ranked
where place = 1
