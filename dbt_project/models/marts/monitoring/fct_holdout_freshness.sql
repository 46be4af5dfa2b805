with holdouts as (
    select
        day,
        route,
        min(set_version) as set_version
    from {{ ref('stg_examples') }}
    where example_set = 'holdout' and route is not null
    group by day, route
),

built as (
    select * from holdouts
    where {{ is_built_day() }}
),

ages as (
    select
        built.day,
        built.route,
        {{ datediff('min(holdouts.day)', 'built.day', 'day') }} as age_days
    from built
    inner join holdouts
        on
            built.route = holdouts.route
            and built.set_version = holdouts.set_version
            and built.day >= holdouts.day
    group by built.day, built.route
),

counts as (
    select
        *,
        {{ topic_version_of('topic_series') }} as catalog_version
    from {{ ref('int_topic_counts_daily') }}
    where day >= {{ window_start(first_day()) }}
),

-- Texts that were assigned with another catalogue cannot be compared with tonight's.
versions as (
    select distinct
        day,
        route,
        catalog_version
    from counts
),

-- A topic is tested where an example is within its radius.
tested as (
    select
        day,
        route,
        topic_series
    from counts
    where origin = 'holdout' and n > n_novel
),

coverage as (
    select
        built.day,
        built.route,
        sum(case when tested.topic_series is not null then counts.n - counts.n_novel else 0 end)
        / cast(sum(counts.n) as double) as topic_coverage
    from built
    inner join counts
        on
            built.route = counts.route
            and counts.day >= {{ window_start('built.day') }}
            and built.day >= counts.day
    inner join versions
        on
            built.day = versions.day
            and built.route = versions.route
            and counts.catalog_version = versions.catalog_version
    left join tested
        on built.day = tested.day and built.route = tested.route and counts.topic_series = tested.topic_series
    where counts.origin = 'production'
    group by built.day, built.route
),

skew as (
    select
        day,
        route,
        count(distinct feature) as skew_features
    from {{ ref('fct_feature_skew_daily') }}
    where
        reference = 'holdout'
        and side = 'input'
        and model_served = '*'
        and prompt_version = '*'
        and q_value <= {{ threshold('max_q_value', 'route') }}
        and (
            abs(share_delta) >= {{ threshold('min_share_delta', 'route') }}
            or (psi >= {{ threshold('min_psi', 'route') }} and ks >= {{ threshold('min_ks', 'route') }})
        )
        and {{ is_built_day() }}
    group by day, route
)

select
    ages.day,
    ages.route,
    cast(ages.age_days as bigint) as age_days,
    coverage.topic_coverage,
    1 - coverage.topic_coverage as uncovered_share,
    cast(coalesce(skew.skew_features, 0) as bigint) as skew_features,
    coalesce(1 - coverage.topic_coverage >= {{ threshold('max_uncovered_share', 'ages.route') }}, false) as is_stale
from ages
left join coverage on ages.day = coverage.day and ages.route = coverage.route
left join skew on ages.day = skew.day and ages.route = skew.route
