{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'route', 'side'] -%}
{%- set sums = ['n', 'n_clusters', 'total', 'total_squares', 'cluster_squares', 'cluster_cross', 'cluster_sizes'] -%}
{%- set text_features = features_of(ref('int_text_features')) -%}
{%- set call_features = features_of(ref('int_pair_features')) -%}

with seeded as (
    select * from {{ ref('features') }}
),

texts as (
    select * from {{ ref('int_text_features') }}
    where origin = 'production' and {{ days }}
),

calls as (
    select * from {{ ref('int_pair_features') }}
    where origin = 'production' and {{ days }}
),

scores as (
    select * from {{ ref('int_scored_calls') }}
    where is_passed is not null and {{ days }}
),

text_clusters as (
    {{ sums_of_rows('texts', keys + ['cluster_key'], text_features) }}
),

text_sums as (
    {{ sums_of_clusters('text_clusters', keys, text_features) }}
),

call_clusters as (
    {{ sums_of_rows('calls', keys + ['cluster_key'], call_features) }}
),

call_sums as (
    {{ sums_of_clusters('call_clusters', keys, call_features) }}
),

score_clusters as (
    select
        {{ keys | join(', ') }},
        feature,
        cluster_key,
        count(*) as n,
        {{ count_if('is_passed') }} as total
    from scores
    group by {{ keys | join(', ') }}, feature, cluster_key
),

score_sums as (
    select
        {{ keys | join(', ') }},
        feature,
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        cast(sum(total) as double) as total,
        cast(sum(total) as double) as total_squares,
        cast(sum(total * total) as double) as cluster_squares,
        cast(sum(total * n) as double) as cluster_cross,
        cast(sum(n * n) as double) as cluster_sizes
    from score_clusters
    group by {{ keys | join(', ') }}, feature
),

wholes as (
    {{ turned('text_sums', keys, sums, text_features) }}
    union all
    {{ turned('call_sums', keys, sums, call_features) }}
    union all
    select * from score_sums
)

select wholes.*
from wholes
inner join seeded on {{ is_seeded('wholes', 'seeded') }}
where wholes.n > 0
