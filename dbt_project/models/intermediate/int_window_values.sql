{%- set series = ['day', 'route', 'side', 'feature'] -%}

with seen as (
    select
        {{ series | join(', ') }},
        window_nights
    from {{ ref('int_night_tests') }}
    where window_nights > 1 and (is_breach or is_ongoing)
),

histograms as (
    select * from {{ ref('int_feature_histograms') }}
    where
        origin = 'production'
        and model_served = '*'
        and prompt_version = '*'
        and day >= cast({{ dateadd('day', -1 * nights_together(), window_start(first_day())) }} as date)
),

versions as (
    select * from {{ ref('int_criterion_days') }}
),

nights as (
    select
        seen.day,
        seen.route,
        seen.side,
        seen.feature,
        seen.window_nights,
        histograms.day as night,
        sum(histograms.n) as n,
        {{ exact_sum('histograms.total') }} as total
    from seen
    inner join histograms
        on
            seen.route = histograms.route
            and seen.side = histograms.side
            and seen.feature = histograms.feature
            and seen.day >= histograms.day
            and histograms.day >= cast({{ dateadd('day', -1 * nights_together(), window_start('seen.day')) }} as date)
    {{ of_one_version('seen', 'histograms') }}
    where {{ is_one_version() }}
    group by seen.day, seen.route, seen.side, seen.feature, seen.window_nights, histograms.day
),

placed as (
    select
        *,
        row_number() over (partition by {{ series | join(', ') }} order by night desc) as place
    from nights
)

select
    {{ series | join(', ') }},
    min(case when place <= window_nights then night end) as window_first_day,
    {{ exact_sum('case when place <= window_nights then total else 0 end') }}
    / nullif(sum(case when place <= window_nights then n else 0 end), 0) as value_window,
    {{ exact_sum('case when place > ' ~ nights_together() ~ ' then total else 0 end') }}
    / nullif(sum(case when place > {{ nights_together() }} then n else 0 end), 0) as value_before_window
from placed
group by {{ series | join(', ') }}
