{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    meta={'adds_to_built_days': true}
) }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set series = ['day', 'route', 'side', 'feature'] -%}

with wholes as (
    select * from {{ ref('int_series_wholes_daily') }}
    where {{ days }}
),

topics as (
    select * from {{ ref('int_series_topics_daily') }}
    where {{ days }}
),

users as (
    select * from {{ ref('int_series_users_daily') }}
    where {{ days }}
),

cells as (
    select * from {{ ref('int_feature_cells_daily') }}
    where origin = 'production' and {{ days }}
),

scores as (
    select * from {{ ref('int_scored_calls') }}
    where is_passed is not null and criterion_version is not null and {{ days }}
),

mix as (
    select mixes.*
    from {{ ref('int_mix_daily') }} as mixes
    where
        mixes.feature <> mixes.kind  -- the row of all calls, which is no member
        and (
            {{ days }}
            {%- if is_incremental() %}
            -- Days that were built earlier lack the members that are new tonight.
                or not exists (
                    select there.day
                    from {{ this }} as there
                    where
                        mixes.day = there.day
                        and mixes.route = there.route
                        and mixes.side = there.side
                        and mixes.feature = there.feature
                )
            {%- endif %}
        )
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
    select
        {{ series | join(', ') }},
        'topic' as dimension,
        topic_series as member,
        n,
        total,
        total_squares
    from topics
    union all
    select
        {{ series | join(', ') }},
        'user' as dimension,
        user_name as member,
        n,
        total,
        total_squares
    from users
    union all
    -- Days of different versions of a criterion are not compared.
    select
        {{ series | join(', ') }},
        'criterion_version' as dimension,
        criterion_version as member,
        count(*) as n,
        cast({{ count_if('is_passed') }} as double) as total,
        cast({{ count_if('is_passed') }} as double) as total_squares
    from scores
    group by {{ series | join(', ') }}, criterion_version
)

select
    {{ series | join(', ') }},
    '*' as dimension,
    '*' as member,
    n,
    n_clusters,
    total,
    total_squares,
    cluster_squares,
    cluster_cross,
    cluster_sizes
from wholes
union all
select
    {{ series | join(', ') }},
    '*' as dimension,
    '*' as member,
    n,
    n_clusters,
    total,
    total as total_squares,
    cluster_squares,
    cluster_cross,
    cluster_sizes
from mix
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
