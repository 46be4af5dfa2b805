{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set group = ['day', 'route', 'side', 'kind'] -%}

with calls as (
    select * from {{ ref('int_pair_features') }}
    where origin = 'production' and not failed and {{ days }}
),

topics as (
    select * from {{ ref('stg_topics') }}
    where origin = 'production' and side = 'input' and topic_id is not null and {{ days }}
),

units as (
    select
        day,
        route,
        'pair' as side,
        'model:' as kind,
        cluster_key,
        model_served as member
    from calls
    union all
    select
        day,
        route,
        'pair' as side,
        'prompt:' as kind,
        cluster_key,
        prompt_version as member
    from calls
    union all
    select
        calls.day,
        calls.route,
        'input' as side,
        'topic:' as kind,
        calls.cluster_key,
        topics.topic_id as member
    from calls
    inner join topics on calls.day = topics.day and calls.subject_id = topics.subject_id
),

members as (
    select
        {{ group | join(', ') }},
        cluster_key,
        member,
        count(*) as total,
        sum(count(*)) over (partition by {{ group | join(', ') }}, cluster_key) as n
    from units
    group by {{ group | join(', ') }}, cluster_key, member
),

clusters as (
    select distinct
        {{ group | join(', ') }},
        cluster_key,
        n
    from members
),

wholes as (
    select
        {{ group | join(', ') }},
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        cast(sum(n * n) as double) as cluster_sizes
    from clusters
    group by {{ group | join(', ') }}
),

present as (
    select
        members.day,
        members.route,
        members.side,
        members.kind,
        members.kind || members.member as feature,
        any_value(wholes.n) as n,
        any_value(wholes.n_clusters) as n_clusters,
        cast(sum(members.total) as double) as total,
        cast(sum(members.total * members.total) as double) as cluster_squares,
        cast(sum(members.total * members.n) as double) as cluster_cross,
        any_value(wholes.cluster_sizes) as cluster_sizes
    from members
    inner join wholes
        on
            members.day = wholes.day
            and members.route = wholes.route
            and members.side = wholes.side
            and members.kind = wholes.kind
    group by members.day, members.route, members.side, members.kind, members.member
),

pasts as (
    select distinct
        route,
        'topic:' || topic_id as feature,
        past_day as day,
        total,
        cluster_squares,
        cluster_cross
    from {{ ref('stg_topic_pasts') }}
    where day between {{ window_start(first_day()) }} and {{ last_day() }}
),

known as (
    select * from present
    {%- if is_incremental() %}
        union all
        select * from {{ this }}
        where day between {{ window_start(first_day()) }} and {{ window_end(last_day()) }} and not ({{ days }})
    {%- endif %}
),

-- Topics of another catalogue are no members that were missing: nothing was held against them.
versioned as (
    select
        *,
        case when kind = 'topic:' then {{ topic_version_of('substr(feature, 7)') }} else '' end as catalog_version
    from known
),

-- A member with calls on a day within the window before or after is 0 on a day without, and not missing. Of a topic
-- that was found later it is known how often it was asked about.
filled as (
    select distinct
        built.day,
        built.route,
        built.side,
        built.kind,
        seen.feature,
        built.n,
        built.n_clusters,
        coalesce(pasts.total, 0) as total,
        coalesce(pasts.cluster_squares, 0) as cluster_squares,
        coalesce(pasts.cluster_cross, 0) as cluster_cross,
        built.cluster_sizes
    from versioned as built
    inner join versioned as seen
        on
            built.route = seen.route
            and built.side = seen.side
            and built.kind = seen.kind
            and built.catalog_version = seen.catalog_version
            and seen.day between {{ window_start('built.day') }} and {{ window_end('built.day') }}
    left join pasts
        on built.route = pasts.route and built.day = pasts.day and seen.feature = pasts.feature
    where
        seen.total > 0
        and not exists (
            select 1 from known as given
            where
                given.day = built.day
                and given.route = built.route
                and given.side = built.side
                and given.feature = seen.feature
        )
)

select * from present
union all
select * from filled
