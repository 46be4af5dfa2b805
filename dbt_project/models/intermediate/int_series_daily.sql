{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set series = ['day', 'route', 'side', 'feature'] -%}
{%- set whole = ['n', 'n_clusters', 'total', 'total_squares', 'cluster_squares', 'cluster_cross', 'cluster_sizes'] -%}
{%- set part = ['n', 'total', 'total_squares'] -%}

with seeded as (
    select * from {{ ref('features') }}
),

cells as (
    select * from {{ ref('int_feature_cells_daily') }}
    where origin = 'production' and {{ days }}
),

topics as (
    select * from {{ ref('stg_topics') }}
    where origin = 'production' and side = 'input' and topic_id is not null and {{ days }}
),

scores as (
    select * from {{ ref('int_scored_calls') }}
    where is_passed is not null and {{ days }}
),

score_clusters as (
    select
        {{ series | join(', ') }},
        cluster_key,
        count(*) as n,
        {{ count_if('is_passed') }} as total
    from scores
    group by {{ series | join(', ') }}, cluster_key
),

score_wholes as (
    select
        {{ series | join(', ') }},
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        cast(sum(total) as double) as total,
        cast(sum(total) as double) as total_squares,
        cast(sum(total * total) as double) as cluster_squares,
        cast(sum(total * n) as double) as cluster_cross,
        cast(sum(n * n) as double) as cluster_sizes
    from score_clusters
    group by {{ series | join(', ') }}
),

score_topics as (
    select
        scores.day,
        scores.route,
        scores.side,
        topics.topic_id,
        scores.feature,
        count(*) as n,
        cast({{ count_if('scores.is_passed') }} as double) as total,
        cast({{ count_if('scores.is_passed') }} as double) as total_squares
    from scores
    inner join topics
        on scores.day = topics.day and scores.subject_id = topics.subject_id
    group by scores.day, scores.route, scores.side, topics.topic_id, scores.feature
),

{% for kind, relation in [('text', ref('int_text_features')), ('pair', ref('int_pair_features'))] -%}
    {%- set features = features_of(relation) -%}
    {{ kind }}_rows as (
        select * from {{ relation }}
        where origin = 'production' and {{ days }}
    ),

    {{ kind }}_clusters as (
        {{ sums_of_rows(kind ~ '_rows', ['day', 'route', 'side', 'cluster_key'], features) }}
    ),

    {{ kind }}_sums as (
        {{ sums_of_clusters(kind ~ '_clusters', ['day', 'route', 'side'], features) }}
    ),

    {{ kind }}_topic_rows as (
        select
            {{ kind }}_rows.*,
            topics.topic_id
        from {{ kind }}_rows
        inner join topics
            on {{ kind }}_rows.day = topics.day and {{ kind }}_rows.subject_id = topics.subject_id
    ),

    {{ kind }}_topic_sums as (
        {{ sums_of_rows(kind ~ '_topic_rows', ['day', 'route', 'side', 'topic_id'], features) }}
    ),

    {{ kind }}_wholes as (
        {{ turned(kind ~ '_sums', ['day', 'route', 'side'], whole, features) }}
    ),

    {{ kind }}_topics as (
        {{ turned(kind ~ '_topic_sums', ['day', 'route', 'side', 'topic_id'], part, features) }}
    ),

{% endfor -%}
topic_sums as (
    select * from text_topics
    union all
    select * from pair_topics
    union all
    select * from score_topics
),

parts as (
    {% for dimension in ['model_served', 'prompt_version', 'release'] -%}
        select
            {{ series | join(', ') }},
            '{{ dimension }}' as dimension,
            {{ dimension }} as member,
            cast(sum(n) as bigint) as n,
            {{ exact_sum('total') }} as total,
            {{ exact_sum('total_squares') }} as total_squares
        from cells
        group by {{ series | join(', ') }}, {{ dimension }}
        union all
    {% endfor -%}
    -- A criterion that was changed moves its own series.
    select
        {{ series | join(', ') }},
        'criterion_version' as dimension,
        criterion_version as member,
        count(*) as n,
        cast({{ count_if('is_passed') }} as double) as total,
        cast({{ count_if('is_passed') }} as double) as total_squares
    from scores
    where criterion_version is not null
    group by {{ series | join(', ') }}, criterion_version
    union all
    select
        {{ series | join(', ') }},
        'topic' as dimension,
        topic_id as member,
        {{ part | join(', ') }}
    from topic_sums
),

wholes as (
    select * from text_wholes
    union all
    select * from pair_wholes
    union all
    select * from score_wholes
),

series as (
    select
        {{ series | join(', ') }},
        '*' as dimension,
        '*' as member,
        {{ whole | join(', ') }}
    from wholes
    union all
    select
        {{ series | join(', ') }},
        dimension,
        member,
        n,
        null as n_clusters,
        total,
        total_squares,
        null as cluster_squares,
        null as cluster_cross,
        null as cluster_sizes
    from parts
)

select series.*
from series
inner join seeded
    on
        {{ seed_feature('series.feature') }} = seeded.feature
        and seeded.sides in (series.side, case when series.side <> 'pair' then 'both' end)
where series.n > 0
union all
select
    day,
    route,
    side,
    feature,
    '*' as dimension,
    '*' as member,
    n,
    n_clusters,
    total,
    total as total_squares,
    cluster_squares,
    cluster_cross,
    cluster_sizes
from {{ ref('int_mix_daily') }}
where
    {{ days }}
    {%- if is_incremental() %}
    -- Days that have been built lack the members that are new tonight.
        or (day, route, side, feature) not in (
            select (there.day, there.route, there.side, there.feature) from {{ this }} as there
        )
    {%- endif %}
