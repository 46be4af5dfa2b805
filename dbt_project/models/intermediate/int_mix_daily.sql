{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    meta={'adds_to_built_days': true}
) }}

{%- set days = is_day_to_build(ref('int_text_features')) %}

with present as (
    select
        day,
        route,
        side,
        kind,
        feature,
        n,
        n_clusters,
        total,
        cluster_squares,
        cluster_cross,
        cluster_sizes
    from {{ ref('int_mix_members_daily') }}
    where {{ days }}
),

pasts as (
    select distinct
        route,
        'topic:' || topic_series as feature,
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
        select
            day,
            route,
            side,
            kind,
            feature,
            n,
            n_clusters,
            total,
            cluster_squares,
            cluster_cross,
            cluster_sizes
        from {{ this }}
        where day between {{ window_start(first_day()) }} and {{ window_end(last_day()) }} and not ({{ days }})
    {%- endif %}
),

-- Topics of another version are not missing members: nothing was assigned to them.
versioned as (
    select
        *,
        case when kind = 'topic:' then {{ topic_version_of('substring(feature, 7)') }} else '' end as catalog_version
    from known
),

-- A member with calls within the window before or after has total 0 on a day without calls, instead of no row. For a
-- topic or a version that was found later, the number of inputs about it on earlier days is known.
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
            and seen.day between {{ window_start('built.day') }} and {{ window_end('built.day') }}
    left join pasts
        on built.route = pasts.route and built.day = pasts.day and seen.feature = pasts.feature
    where
        seen.total > 0
        and (built.catalog_version = seen.catalog_version or pasts.total is not null)
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
