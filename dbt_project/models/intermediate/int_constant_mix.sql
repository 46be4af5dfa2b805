{#- The mix of topics in the trailing window, applied to the day's rates of each topic. -#}
{%- set series = ['day', 'route', 'side', 'feature'] -%}
{%- set least_calls = 5 -%}
{%- set least_cover = 0.8 -%}

with series as (
    select * from {{ ref('int_series_daily') }}
    where dimension = 'topic' and day >= {{ window_start(first_day()) }}
),

days as (
    select * from series
    where {{ is_built_day() }}
),

built as (
    select distinct
        day,
        route
    from days
),

windows as (
    select
        built.day,
        series.route,
        series.side,
        series.feature,
        series.member,
        sum(series.n) as n
    from built
    inner join series
        on
            built.route = series.route
            and series.day >= {{ window_start('built.day') }}
            and built.day > series.day
    group by built.day, series.route, series.side, series.feature, series.member
),

weighed as (
    select
        windows.day,
        windows.route,
        windows.side,
        windows.feature,
        windows.n as n_window,
        days.n as n_day,
        days.total as total_day
    from windows
    left join days
        on
            windows.day = days.day
            and windows.route = days.route
            and windows.side = days.side
            and windows.feature = days.feature
            and windows.member = days.member
),

mixed as (
    select
        {{ series | join(', ') }},
        {{ exact_sum('case when n_day >= ' ~ least_calls ~ ' then n_window * total_day / n_day end') }}
        / sum(case when n_day >= {{ least_calls }} then n_window end) as mean_at_constant_mix,
        sum(case when n_day >= {{ least_calls }} then n_window end) / sum(n_window) as cover
    from weighed
    group by {{ series | join(', ') }}
),

raw as (
    select
        {{ series | join(', ') }},
        {{ exact_sum('total') }} / sum(n) as mean_of_day
    from days
    group by {{ series | join(', ') }}
)

select
    mixed.day,
    mixed.route,
    mixed.side,
    mixed.feature,
    mixed.mean_at_constant_mix - raw.mean_of_day as mix_shift
from mixed
inner join raw
    on
        mixed.day = raw.day
        and mixed.route = raw.route
        and mixed.side = raw.side
        and mixed.feature = raw.feature
where mixed.cover >= {{ least_cover }}
