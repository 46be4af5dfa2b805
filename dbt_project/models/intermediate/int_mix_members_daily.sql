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
)

select
    members.day,
    members.route,
    members.side,
    members.kind,
    members.kind || members.member as feature,
    max(wholes.n) as n,
    max(wholes.n_clusters) as n_clusters,
    cast(sum(members.total) as double) as total,
    cast(sum(members.total * members.total) as double) as cluster_squares,
    cast(sum(members.total * members.n) as double) as cluster_cross,
    max(wholes.cluster_sizes) as cluster_sizes
from members
inner join wholes
    on
        members.day = wholes.day
        and members.route = wholes.route
        and members.side = wholes.side
        and members.kind = wholes.kind
group by members.day, members.route, members.side, members.kind, members.member
