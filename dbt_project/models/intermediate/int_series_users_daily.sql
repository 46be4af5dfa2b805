{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{#- Only of users who make many more calls than before: of others no change comes. -#}
{%- set much = 0.1 -%}
{%- set times = 2 -%}
{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set keys = ['day', 'route', 'side', 'user_name'] -%}
{%- set sums = ['n', 'total', 'total_squares'] -%}
{%- set text_features = features_of(ref('int_text_features')) -%}
{%- set call_features = features_of(ref('int_pair_features')) -%}

with seeded as (
    select * from {{ ref('features') }}
),

users as (
    select * from {{ ref('int_users_daily') }}
    where day >= {{ window_start(window_start(first_day())) }}
),

counts as (
    select * from {{ ref('int_call_counts_daily') }}
    where day >= {{ window_start(window_start(first_day())) }}
),

heavy as (
    select * from users
    where n >= {{ much }} * n_calls and {{ days }}
),

before as (
    select
        heavy.day,
        heavy.route,
        heavy.cluster_key,
        sum(counts.n_calls) as n_calls,
        sum(users.n) as n
    from heavy
    inner join counts
        on
            heavy.route = counts.route
            and counts.day >= {{ window_start('heavy.day') }}
            and heavy.day > counts.day
    left join users
        on
            counts.day = users.day
            and counts.route = users.route
            and heavy.cluster_key = users.cluster_key
    group by heavy.day, heavy.route, heavy.cluster_key
),

risen as (
    select heavy.*
    from heavy
    inner join before
        on
            heavy.day = before.day
            and heavy.route = before.route
            and heavy.cluster_key = before.cluster_key
    where heavy.n * before.n_calls >= {{ times }} * coalesce(before.n, 0) * heavy.n_calls
),

{% for kind, relation in [('texts', 'int_text_features'), ('calls', 'int_pair_features')] -%}
    {{ kind }} as (
        select
            rows_of_day.*,
            risen.user_name
        from {{ ref(relation) }} as rows_of_day
        inner join risen
            on
                rows_of_day.day = risen.day
                and rows_of_day.route = risen.route
                and rows_of_day.cluster_key = risen.cluster_key
        where rows_of_day.origin = 'production'
    ),

{% endfor -%}
text_sums as (
    {{ sums_of_rows('texts', keys, text_features) }}
),

call_sums as (
    {{ sums_of_rows('calls', keys, call_features) }}
),

members as (
    {{ turned('text_sums', keys, sums, text_features) }}
    union all
    {{ turned('call_sums', keys, sums, call_features) }}
)

select members.*
from members
inner join seeded on {{ is_seeded('members', 'seeded') }}
where members.n > 0
