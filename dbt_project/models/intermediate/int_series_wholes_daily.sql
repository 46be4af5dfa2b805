{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'route', 'side'] -%}
{%- set sums = ['n', 'n_clusters', 'total', 'total_squares', 'cluster_squares', 'cluster_cross', 'cluster_sizes'] -%}
{%- set text_features = features_of(ref('int_text_features')) -%}
{%- set call_features = features_of(ref('int_pair_features')) -%}
{%- set signals = features_of(ref('int_call_signals')) -%}

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

signal_rows as (
    select * from {{ ref('int_call_signals') }}
    where {{ days }}
),

scores as (
    select * from {{ ref('int_scored_calls') }}
    where is_passed is not null and {{ days }}
),

fields as (
    select * from {{ ref('int_field_numbers') }}
    where {{ days }}
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

signal_clusters as (
    {{ sums_of_rows('signal_rows', keys + ['cluster_key'], signals) }}
),

signal_sums as (
    {{ sums_of_clusters('signal_clusters', keys, signals) }}
),

-- What has a name of its own in each row: how outputs pass criteria, and the numbers of their fields.
named_values as (
    select
        {{ keys | join(', ') }},
        feature,
        cluster_key,
        cast(is_passed as integer) as value
    from scores
    union all
    select
        {{ keys | join(', ') }},
        feature,
        cluster_key,
        scaled as value
    from fields
),

named_clusters as (
    select
        {{ keys | join(', ') }},
        feature,
        cluster_key,
        count(*) as n,
        {{ exact_sum('value') }} as total,
        {{ exact_sum('value * value') }} as total_squares
    from named_values
    group by {{ keys | join(', ') }}, feature, cluster_key
),

named_sums as (
    select
        {{ keys | join(', ') }},
        feature,
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        {{ exact_sum('total') }} as total,
        {{ exact_sum('total_squares') }} as total_squares,
        {{ exact_sum('total * total') }} as cluster_squares,
        {{ exact_sum('total * n') }} as cluster_cross,
        cast(sum(n * n) as double) as cluster_sizes
    from named_clusters
    group by {{ keys | join(', ') }}, feature
),

wholes as (
    {{ turned('text_sums', keys, sums, text_features) }}
    union all
    {{ turned('call_sums', keys, sums, call_features) }}
    union all
    {{ turned('signal_sums', keys, sums, signals) }}
    union all
    select * from named_sums
)

select wholes.*
from wholes
inner join seeded on {{ is_seeded('wholes', 'seeded') }}
where wholes.n > 0
