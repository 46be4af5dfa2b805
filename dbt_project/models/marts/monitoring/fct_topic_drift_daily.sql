with counts as (
    select
        *,
        {{ topic_version_of('topic_series') }} as catalog_version
    from {{ ref('int_topic_window_counts') }}
),

totals as (
    select
        day,
        route,
        catalog_version,
        sum(n) as n
    from counts
    group by day, route, catalog_version
),

catalog as (
    select
        *,
        added_day is not null as is_added
    from {{ ref('stg_topic_catalog') }}
    where side = 'input' and {{ is_built_day() }}
),

new_topics as (
    select * from {{ ref('stg_topic_tests') }}
    where test = 'new_topic' and topic_id is not null and {{ is_built_day() }}
),

series as (
    select * from {{ ref('int_night_tests') }}
    where side = 'input'
),

current_days as (
    select
        catalog.*,
        totals.catalog_version,
        totals.n as total_current,
        coalesce(counts.n, 0) as n_current
    from catalog
    inner join totals
        on
            catalog.day = totals.day
            and catalog.route = totals.route
            and {{ topic_version_of('catalog.topic_series') }} = totals.catalog_version
    left join counts
        on catalog.day = counts.day and catalog.route = counts.route and catalog.topic_series = counts.topic_series
),

reference_totals as (
    select
        built.day,
        built.route,
        built.catalog_version,
        sum(totals.n) as n
    from totals as built
    inner join totals
        on
            built.route = totals.route
            and built.catalog_version = totals.catalog_version
            and totals.day >= {{ window_start('built.day') }}
            and built.day > totals.day
    where {{ is_built_day('built.day') }}
    group by built.day, built.route, built.catalog_version
),

reference_counts as (
    select
        current_days.day,
        current_days.route,
        current_days.topic_series,
        sum(counts.n) as n
    from current_days
    inner join counts
        on
            current_days.route = counts.route
            and current_days.topic_series = counts.topic_series
            and counts.day >= {{ window_start('current_days.day') }}
            and current_days.day > counts.day
    group by current_days.day, current_days.route, current_days.topic_series
),

compared as (
    select
        current_days.*,
        coalesce(reference_counts.n, 0) / cast(reference_totals.n as double) as share_reference,
        current_days.n_current / cast(current_days.total_current as double) as share_current,
        coalesce(series.p_value, new_topics.p_value) as p_value,
        coalesce(series.q_value, new_topic_night.q_value) as q_value
    from current_days
    left join reference_totals
        on
            current_days.day = reference_totals.day
            and current_days.route = reference_totals.route
            and current_days.catalog_version = reference_totals.catalog_version
    left join reference_counts
        on
            current_days.day = reference_counts.day
            and current_days.route = reference_counts.route
            and current_days.topic_series = reference_counts.topic_series
    left join new_topics
        on
            current_days.day = new_topics.day
            and current_days.route = new_topics.route
            and current_days.topic_id = new_topics.topic_id
    left join series as new_topic_night
        on
            new_topics.day = new_topic_night.day
            and new_topics.route = new_topic_night.route
            and new_topic_night.feature = 'new_topic:' || new_topics.topic_id
    left join series
        on
            current_days.day = series.day
            and current_days.route = series.route
            and series.feature = 'topic:' || current_days.topic_series
)

select
    day,
    route,
    topic_id,
    share_reference,
    share_current,
    p_value,
    q_value,
    case
        when is_added and first_day >= {{ window_start('day') }} then 'new'
        when coalesce(q_value > {{ threshold('max_q_value', 'route') }}, true) then 'stable'
        when n_current = 0 then 'vanished'
        when share_current > share_reference then 'growing'
        else 'shrinking'
    end as status,
    label,
    example_call_ids
from compared
