{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- What a change coincides with: the calls of one model, prompt version, release, topic or heavy user cause most of
    it. -#}
{%- set keys = ['day', 'route', 'side', 'feature'] -%}
{%- set most_of_it = 0.7 -%}
{%- set all_calls = 0.9 -%}
{%- set unseen = 0.02 -%}
{#- Of a user only the days with many calls are known, so nothing says that a user is new. -#}
{%- set is_new = "(share_before < " ~ unseen ~ " and dimension <> 'user')" -%}

with breaches as (
    select distinct
        {{ keys | join(', ') }},
        coalesce(window_first_day, day) as first_night
    from {{ ref('fct_feature_skew_daily') }}
    where
        reference = 'trailing'
        and model_served = '*'
        and prompt_version = '*'
        and (is_breach or is_ongoing)
        and {{ is_built_day() }}
),

versions as (
    select * from {{ ref('int_criterion_days') }}
),

summed as (
    select
        breaches.day,
        breaches.route,
        breaches.side,
        breaches.feature,
        series.dimension,
        series.member,
        sum(case when series.day >= breaches.first_night then series.n else 0 end) as n,
        {{ exact_sum('case when series.day >= breaches.first_night then series.total else 0 end') }} as total,
        sum(case when series.day < breaches.first_night then series.n else 0 end) as n_before,
        {{ exact_sum('case when series.day < breaches.first_night then series.total else 0 end') }} as total_before,
        max(series.day) as newest_day,
        -- Each version sorts topics anew, so that its calls are compared with its own calls before.
        max(case when series.dimension = 'topic' then {{ topic_version_of('series.member') }} else '' end)
            as catalog_version
    from breaches
    inner join {{ ref('int_series_daily') }} as series
        on
            breaches.route = series.route
            and breaches.side = series.side
            and breaches.feature = series.feature
            and series.day >= {{ window_start(first_day()) }}
            and series.day >= {{ window_start('breaches.day') }}
            and breaches.day >= series.day
    {{ of_one_version('breaches', 'series') }}
    where series.dimension <> 'criterion_version' and {{ is_one_version() }}
    group by breaches.day, breaches.route, breaches.side, breaches.feature, series.dimension, series.member
),

-- The calls of all users but the heavy ones.
others as (
    select
        {{ keys | join(', ') }},
        'user' as dimension,
        '' as member,
        sum(case dimension when '*' then n else -n end) as n,
        sum(case dimension when '*' then total else -total end) as total,
        sum(case dimension when '*' then n_before else -n_before end) as n_before,
        sum(case dimension when '*' then total_before else -total_before end) as total_before,
        max(newest_day) as newest_day,
        '' as catalog_version
    from summed
    where dimension in ('*', 'user')
    group by {{ keys | join(', ') }}
    having count(*) > 1
),

members as (
    select * from summed
    where dimension <> '*'
    union all
    select * from others
),

wholes as (
    select
        {{ keys | join(', ') }},
        dimension,
        catalog_version,
        max(newest_day) as newest_day,
        sum(n) as n_all,
        sum(n_before) as n_all_before,
        {{ exact_sum('total') }} / nullif(sum(n), 0) as mean_all,
        {{ exact_sum('total_before') }} / nullif(sum(n_before), 0) as mean_all_before
    from members
    group by {{ keys | join(', ') }}, dimension, catalog_version
),

contributions as (
    select
        members.*,
        members.n / nullif(wholes.n_all, 0) as share,
        members.n_before / nullif(wholes.n_all_before, 0) as share_before,
        (
            (members.total - members.n * wholes.mean_all_before) / nullif(wholes.n_all, 0)
            - (members.total_before - members.n_before * wholes.mean_all_before) / nullif(wholes.n_all_before, 0)
        ) / nullif(wholes.mean_all - wholes.mean_all_before, 0) as part
    from members
    inner join wholes
        on
            members.day = wholes.day
            and members.route = wholes.route
            and members.side = wholes.side
            and members.feature = wholes.feature
            and members.dimension = wholes.dimension
            and members.catalog_version = wholes.catalog_version
    where wholes.newest_day = wholes.day
),

candidates as (
    select
        *,
        {{ is_new }} as is_new,
        row_number() over (
            partition by {{ keys | join(', ') }}
            order by
                {{ is_new }} desc,
                case dimension
                    when 'release' then 1
                    when 'prompt_version' then 2
                    when 'model_served' then 3
                    when 'user' then 4
                    else 5
                end asc,
                part desc,
                member asc
        ) as place
    from contributions
    where
        part >= {{ most_of_it }}
        and (share_before < {{ unseen }} or share < {{ all_calls }})
        and n > 0
        and member <> ''
)

select
    {{ keys | join(', ') }},
    dimension,
    member,
    share,
    share_before,
    part,
    is_new
from candidates
where place = 1
