{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['series']) }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}

with calls as (
    select * from {{ ref('int_pair_features') }}
    where origin = 'production' and not failed and {{ days }}
),

clusters as (
    select
        day,
        route,
        cluster_key,
        count(*) as n
    from calls
    group by day, route, cluster_key
),

routes as (
    select
        day,
        route,
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        cast(sum(n * n) as double) as cluster_sizes
    from clusters
    group by day, route
),

members as (
    select
        day,
        route,
        cluster_key,
        'model:' || model_served as feature,
        count(*) as total
    from calls
    group by day, route, cluster_key, model_served
    union all
    select
        day,
        route,
        cluster_key,
        'prompt:' || prompt_version as feature,
        count(*) as total
    from calls
    group by day, route, cluster_key, prompt_version
),

present as (
    select
        members.day,
        members.route,
        members.feature,
        routes.n,
        routes.n_clusters,
        cast(sum(members.total) as double) as total,
        cast(sum(members.total * members.total) as double) as cluster_squares,
        cast(sum(members.total * clusters.n) as double) as cluster_cross,
        routes.cluster_sizes
    from members
    inner join clusters
        on
            members.day = clusters.day
            and members.route = clusters.route
            and members.cluster_key = clusters.cluster_key
    inner join routes
        on members.day = routes.day and members.route = routes.route
    group by
        members.day, members.route, members.feature, routes.n, routes.n_clusters, routes.cluster_sizes
),

known as (
    select * from present
    {%- if is_incremental() %}
        union all
        select * from {{ this }}
        where day between {{ window_start(first_day()) }} and {{ window_end(last_day()) }} and not ({{ days }})
    {%- endif %}
),

-- A member with calls on a day within the window before or after is 0 on a day without, and not missing.
filled as (
    select distinct
        built.day,
        built.route,
        seen.feature,
        built.n,
        built.n_clusters,
        cast(0 as double) as total,
        cast(0 as double) as cluster_squares,
        cast(0 as double) as cluster_cross,
        built.cluster_sizes
    from known as built
    inner join known as seen
        on
            built.route = seen.route
            and seen.day between {{ window_start('built.day') }} and {{ window_end('built.day') }}
    where
        seen.total > 0
        and not exists (
            select 1 from known as given
            where given.day = built.day and given.route = built.route and given.feature = seen.feature
        )
)

select * from present
union all
select * from filled
