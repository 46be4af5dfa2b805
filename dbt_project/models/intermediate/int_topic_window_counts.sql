with counted as (
    select
        day,
        route,
        topic_series,
        n
    from {{ ref('int_topic_counts_daily') }}
    where origin = 'production' and day >= {{ window_start(first_day()) }}
),

-- The topics of a version on its first day, without those that were found as new ones on that day.
versions as (
    select
        day,
        route,
        topic_series
    from {{ ref('stg_topic_catalog') }}
    where
        day between {{ window_start(first_day()) }} and {{ last_day() }}
        and day = fitted_day
        and coalesce(added_day < day, true)
),

-- What a new version would have counted on the days before it.
pasts as (
    select
        found.past_day as day,
        found.route,
        found.topic_series,
        cast(found.total as bigint) as n
    from {{ ref('stg_topic_pasts') }} as found
    inner join versions
        on
            found.day = versions.day
            and found.route = versions.route
            and found.topic_series = versions.topic_series
)

select * from counted
union all
select pasts.* from pasts
where
    not exists (
        select 1 from counted
        where
            counted.day = pasts.day
            and counted.route = pasts.route
            and {{ topic_version_of('counted.topic_series') }} = {{ topic_version_of('pasts.topic_series') }}
    )
