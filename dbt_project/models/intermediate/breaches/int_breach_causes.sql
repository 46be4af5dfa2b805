{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- What a change coincides with: the calls of one model, prompt version, release or topic cause most of it, or the
    criterion was changed. -#}
{%- set keys = ['day', 'route', 'side', 'feature'] -%}
{%- set most_of_it = 0.7 -%}
{%- set all_calls = 0.9 -%}
{%- set unseen = 0.02 -%}

with breaches as (
    select distinct {{ keys | join(', ') }}
    from {{ ref('fct_feature_skew_daily') }}
    where
        reference = 'trailing'
        and model_served = '*'
        and prompt_version = '*'
        and (is_breach or is_ongoing)
        and {{ is_built_day() }}
),

series as (
    select * from {{ ref('int_series_daily') }}
    where day >= {{ window_start(first_day()) }}
),

members as (
    select
        breaches.day,
        breaches.route,
        breaches.side,
        breaches.feature,
        series.dimension,
        series.member,
        sum(case when series.day = breaches.day then series.n else 0 end) as n,
        {{ exact_sum('case when series.day = breaches.day then series.total else 0 end') }} as total,
        sum(case when series.day < breaches.day then series.n else 0 end) as n_before,
        {{ exact_sum('case when series.day < breaches.day then series.total else 0 end') }} as total_before
    from breaches
    inner join series
        on
            breaches.route = series.route
            and breaches.side = series.side
            and breaches.feature = series.feature
            and series.dimension <> '*'
            and series.day >= {{ window_start('breaches.day') }}
            and breaches.day >= series.day
    group by breaches.day, breaches.route, breaches.side, breaches.feature, series.dimension, series.member
),

wholes as (
    select
        {{ keys | join(', ') }},
        dimension,
        sum(n) as n_all,
        sum(n_before) as n_all_before,
        {{ exact_sum('total') }} / nullif(sum(n), 0) as mean_all,
        {{ exact_sum('total_before') }} / nullif(sum(n_before), 0) as mean_all_before
    from members
    group by {{ keys | join(', ') }}, dimension
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
),

candidates as (
    select
        *,
        share_before < {{ unseen }} as is_new,
        row_number() over (
            partition by {{ keys | join(', ') }}
            order by
                share_before < {{ unseen }} desc,
                case dimension
                    when 'criterion_version' then 0
                    when 'release' then 1
                    when 'prompt_version' then 2
                    when 'model_served' then 3
                    else 4
                end,
                part desc,
                member
        ) as place
    from contributions
    where part >= {{ most_of_it }} and (share_before < {{ unseen }} or share < {{ all_calls }}) and n > 0
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
