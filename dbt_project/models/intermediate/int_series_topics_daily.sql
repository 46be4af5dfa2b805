{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'route', 'side', 'topic_series'] -%}
{%- set sums = ['n', 'total', 'total_squares'] -%}
{%- set text_features = features_of(ref('int_text_features')) -%}
{%- set call_features = features_of(ref('int_pair_features')) -%}

with seeded as (
    select * from {{ ref('features') }}
),

topics as (
    select * from {{ ref('stg_topics') }}
    where origin = 'production' and side = 'input' and topic_id is not null and {{ days }}
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

{% for kind in ['texts', 'calls', 'scores'] -%}
    {{ kind }}_of_topics as (
        select
            {{ kind }}.*,
            topics.topic_series
        from {{ kind }}
        inner join topics
            on {{ kind }}.day = topics.day and {{ kind }}.subject_id = topics.subject_id
    ),

{% endfor -%}
text_sums as (
    {{ sums_of_rows('texts_of_topics', keys, text_features) }}
),

call_sums as (
    {{ sums_of_rows('calls_of_topics', keys, call_features) }}
),

score_sums as (
    select
        {{ keys | join(', ') }},
        feature,
        count(*) as n,
        cast({{ count_if('is_passed') }} as double) as total,
        cast({{ count_if('is_passed') }} as double) as total_squares
    from scores_of_topics
    group by {{ keys | join(', ') }}, feature
),

members as (
    {{ turned('text_sums', keys, sums, text_features) }}
    union all
    {{ turned('call_sums', keys, sums, call_features) }}
    union all
    select * from score_sums
)

select members.*
from members
inner join seeded on {{ is_seeded('members', 'seeded') }}
where members.n > 0
