with histograms as (
    select * from {{ ref('int_feature_histograms_daily') }}
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

trailing_window as (
    select
        production_days.day,
        'trailing' as reference,
        histograms.route,
        histograms.model_served,
        histograms.prompt_version,
        histograms.side,
        histograms.feature,
        histograms.bin,
        sum(histograms.n) as n,
        {{ exact_sum('histograms.total') }} as total,
        {{ exact_sum('histograms.total_squares') }} as total_squares
    from production_days
    inner join histograms
        on
            production_days.route = histograms.route
            and histograms.day >= {{ window_start('production_days.day') }}
            and production_days.day > histograms.day
    where
        histograms.origin = 'production'
        and histograms.day >= {{ window_start(first_day()) }}
    group by
        production_days.day,
        histograms.route,
        histograms.model_served,
        histograms.prompt_version,
        histograms.side,
        histograms.feature,
        histograms.bin
),

-- A route without dev examples of its own is held against those that have no route.
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

select * from trailing_window
union all
select * from example_sets
