{%- set slice = 'route, model_served, prompt_version, side, feature, bin' -%}

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

daily as (
    select
        day,
        {{ slice }},
        n,
        total,
        total_squares
    from histograms
    where origin = 'production' and day between {{ window_start(first_day()) }} and {{ last_day() }}
),

bins as (
    select distinct {{ slice }}
    from daily
),

-- Beside the histograms a row for each bin on each day that is asked for, from which the frame looks back: so every
-- histogram is read once, however many days are asked for.
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
        is_asked,
        cast(sum(n) over past as bigint) as n,
        cast(sum(cast(total as decimal(38, 12))) over past as double) as total,
        cast(sum(cast(total_squares as decimal(38, 12))) over past as double) as total_squares
    from marked
    window
        past as (
            partition by {{ slice }}
            order by {{ datediff("cast('1970-01-01' as date)", 'day', 'day') }}
            range between {{ var('window_days') }} preceding and 1 preceding
        )
),

-- A route without its own dev examples is compared with those that have no route.
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
    day,
    'trailing' as reference,
    {{ slice }},
    n,
    total,
    total_squares
from trailing_window
where is_asked and n > 0
union all
select * from example_sets
