{%- set slice = 'route, model_served, prompt_version, side, feature, bin' -%}
{#- A day is compared with days on which a criterion had the same version. -#}

with histograms as (
    select * from {{ ref('int_feature_histograms') }}
),

production_days as (
    select distinct
        day,
        route
    from histograms
    where origin = 'production' and {{ is_built_day() }}
),

dev_routes as (
    select distinct
        day,
        route
    from histograms
    where origin = 'dev' and {{ is_built_day() }}
),

versions as (
    select * from {{ ref('int_criterion_days') }}
),

daily as (
    select
        histograms.day,
        histograms.route,
        histograms.model_served,
        histograms.prompt_version,
        histograms.side,
        histograms.feature,
        histograms.bin,
        coalesce(versions.criterion_version, '') as criterion_version,
        histograms.n,
        histograms.total,
        histograms.total_squares
    from histograms
    left join versions
        on
            histograms.day = versions.day
            and histograms.route = versions.route
            and histograms.side = versions.side
            and histograms.feature = versions.feature
    where
        histograms.origin = 'production'
        and histograms.day between {{ window_start(first_day()) }} and {{ last_day() }}
),

bins as (
    select distinct
        {{ slice }},
        criterion_version
    from daily
),

-- Besides the histograms there is a row for each bin on each requested day, from which the window frame looks back.
-- So every histogram is read once, however many days are requested.
marked as (
    select
        *,
        false as is_asked
    from daily
    union all
    select
        production_days.day,
        bins.*,
        0 as n,
        0 as total,
        0 as total_squares,
        true as is_asked
    from production_days
    inner join bins
        on production_days.route = bins.route
),

trailing_window as (
    select
        day,
        {{ slice }},
        criterion_version,
        is_asked,
        cast(sum(n) over past as bigint) as n,
        cast(sum(cast(total as decimal(38, 12))) over past as double) as total,
        cast(sum(cast(total_squares as decimal(38, 12))) over past as double) as total_squares
    from marked
    window
        past as (
            partition by {{ slice }}, criterion_version
            order by {{ datediff("cast('1970-01-01' as date)", 'day', 'day') }}
            range between {{ var('window_days') }} preceding and 1 preceding
        )
),

-- A route without dev examples is compared with the examples that have no route.
example_sets as (
    select
        production_days.day,
        histograms.origin as reference,
        production_days.route,
        histograms.model_served,
        histograms.prompt_version,
        histograms.side,
        histograms.feature,
        histograms.bin,
        histograms.n,
        histograms.total,
        histograms.total_squares
    from production_days
    left join dev_routes
        on production_days.day = dev_routes.day and production_days.route = dev_routes.route
    inner join histograms
        on
            production_days.day = histograms.day
            and histograms.route = case
                when histograms.origin = 'dev' and dev_routes.route is null then '*' else production_days.route
            end
    where histograms.origin in ('dev', 'holdout')
)

select
    windows.day,
    'trailing' as reference,
    windows.route,
    windows.model_served,
    windows.prompt_version,
    windows.side,
    windows.feature,
    windows.bin,
    windows.n,
    windows.total,
    windows.total_squares
from trailing_window as windows
left join versions
    on
        windows.day = versions.day
        and windows.route = versions.route
        and windows.side = versions.side
        and windows.feature = versions.feature
where
    windows.is_asked
    and windows.n > 0
    and windows.criterion_version = coalesce(versions.criterion_version, '')
union all
select * from example_sets
