{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'origin', 'route', 'side', 'model_served', 'prompt_version', 'release'] -%}
{%- set text_features = features_of(ref('int_text_features')) -%}
{%- set pair_features = features_of(ref('int_pair_features')) -%}
{%- set signals = features_of(ref('int_call_signals')) -%}

with texts as (
    select * from {{ ref('int_text_features') }}
    where {{ days }}
),

pairs as (
    select * from {{ ref('int_pair_features') }}
    where {{ days }}
),

scores as (
    select * from {{ ref('int_scored_calls') }}
    where {{ days }}
),

signal_rows as (
    select * from {{ ref('int_call_signals') }}
    where {{ days }}
),

features as (
    select * from {{ ref('features') }}
),

sums_of_texts as (
    {{ sums_of_rows('texts', keys, text_features) }}
),

sums_of_pairs as (
    {{ sums_of_rows('pairs', keys, pair_features) }}
),

sums_of_signals as (
    {{ sums_of_rows('signal_rows', keys, signals) }}
),

sums_of_scores as (
    select
        {{ keys | join(', ') }},
        feature,
        count(is_passed) as n,
        cast({{ count_if('is_passed') }} as double) as total,
        cast({{ count_if('is_passed') }} as double) as total_squares
    from scores
    group by {{ keys | join(', ') }}, feature
),

cells as (
    {{ turned('sums_of_texts', keys, ['n', 'total', 'total_squares'], text_features) }}
    union all
    {{ turned('sums_of_pairs', keys, ['n', 'total', 'total_squares'], pair_features) }}
    union all
    {{ turned('sums_of_signals', keys, ['n', 'total', 'total_squares'], signals) }}
    union all
    select * from sums_of_scores
)

select cells.*
from cells
inner join features on {{ is_seeded('cells', 'features') }}
where cells.n > 0
