{#- The mix of topics in the trailing window, applied to the day's rates of each topic. -#}
{%- set series = ['day', 'route', 'side', 'feature'] -%}
{%- set least_calls = 5 -%}
{%- set least_cover = 0.8 -%}

with days as (
    select * from {{ ref('int_series_daily') }}
    where dimension = 'topic' and {{ is_built_day() }}
),

counts as (
    select
        *,
        {{ topic_version_of('topic_series') }} as catalog_version
    from {{ ref('int_topic_window_counts') }}
),

built as (
    select distinct
        day,
        route,
        {{ topic_version_of('member') }} as catalog_version
    from days
),

measured as (
    select distinct {{ series | join(', ') }}
    from days
),

-- Of a version that is newer than the window, what it would have counted.
windows as (
    select
        built.day,
        built.route,
        counts.topic_series,
        sum(counts.n) as n
    from built
    inner join counts
        on
            built.route = counts.route
            and built.catalog_version = counts.catalog_version
            and counts.day >= {{ window_start('built.day') }}
            and built.day > counts.day
    group by built.day, built.route, counts.topic_series
),

weighed as (
    select
        measured.day,
        measured.route,
        measured.side,
        measured.feature,
        windows.n as n_window,
        days.n as n_day,
        days.total as total_day
    from measured
    inner join windows on measured.day = windows.day and measured.route = windows.route
    left join days
        on
            measured.day = days.day
            and measured.route = days.route
            and measured.side = days.side
            and measured.feature = days.feature
            and windows.topic_series = days.member
),

mixed as (
    select
        {{ series | join(', ') }},
        {{ exact_sum('case when n_day >= ' ~ least_calls ~ ' then n_window * total_day / n_day end') }}
        / nullif(sum(case when n_day >= {{ least_calls }} then n_window end), 0) as mean_at_constant_mix,
        sum(case when n_day >= {{ least_calls }} then n_window end) / nullif(sum(n_window), 0) as cover
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
