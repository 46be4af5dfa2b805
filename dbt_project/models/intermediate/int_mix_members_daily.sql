{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set days = is_day_to_build(ref('int_text_features')) -%}
{%- set group = ['day', 'route', 'side', 'kind'] -%}
{#- Names that come from calls can be many. Of one day so many are kept, three times as many as are tested
    (most_members of int_series_tests), so that a member is not missing on the days on which it is rarest. What a
    field says in a single output only is most often free text, and is not kept. -#}
{%- set most = {'error:': 30, 'tool:': 60, 'language:': 30, 'field:': 200, 'field_type:': 100} -%}
{%- set least = {'field:': 2, 'field_type:': 2} -%}

with units as (
    select * from {{ ref('int_mix_units') }}
    where {{ days }}
),

counted as (
    select
        {{ group | join(', ') }},
        cluster_key,
        member,
        count(*) as total,
        sum(weight) as weight
    from units
    group by {{ group | join(', ') }}, cluster_key, member
),

ranked as (
    select
        {{ group | join(', ') }},
        member,
        sum(total) as total,
        row_number() over (
            partition by {{ group | join(', ') }} order by member is null, sum(total) desc, member
        ) as place
    from counted
    group by {{ group | join(', ') }}, member
),

named as (
    select
        counted.day,
        counted.route,
        counted.side,
        counted.kind,
        counted.cluster_key,
        counted.total,
        case
            {% for kind, n in most.items() -%}
                when counted.kind = '{{ kind }}' and counted.member is not null and ranked.place > {{ n }}
                    then {{ "'other'" if kind == 'error:' else 'null' }}
            {% endfor -%}
            {% for kind, n in least.items() -%}
                when counted.kind = '{{ kind }}' and ranked.total < {{ n }} then null
            {% endfor -%}
            else counted.member
        end as member
    from counted
    inner join ranked
        on
            counted.day = ranked.day
            and counted.route = ranked.route
            and counted.side = ranked.side
            and counted.kind = ranked.kind
            and coalesce(counted.member, '') = coalesce(ranked.member, '')
),

-- Calls without a member keep their row, of total 0: it says how many calls there were.
members as (
    select
        {{ group | join(', ') }},
        cluster_key,
        member,
        case when member is null then 0 else sum(total) end as total
    from named
    group by {{ group | join(', ') }}, cluster_key, member
),

clusters as (
    select
        {{ group | join(', ') }},
        cluster_key,
        sum(weight) as n
    from counted
    group by {{ group | join(', ') }}, cluster_key
),

wholes as (
    select
        {{ group | join(', ') }},
        cast(sum(n) as bigint) as n,
        count(*) as n_clusters,
        cast(sum(n * n) as double) as cluster_sizes
    from clusters
    group by {{ group | join(', ') }}
)

select
    members.day,
    members.route,
    members.side,
    members.kind,
    members.kind || coalesce(members.member, '') as feature,
    max(wholes.n) as n,
    max(wholes.n_clusters) as n_clusters,
    cast(sum(members.total) as double) as total,
    cast(sum(members.total * members.total) as double) as cluster_squares,
    cast(sum(members.total * clusters.n) as double) as cluster_cross,
    max(wholes.cluster_sizes) as cluster_sizes
from members
inner join clusters
    on
        members.day = clusters.day
        and members.route = clusters.route
        and members.side = clusters.side
        and members.kind = clusters.kind
        and members.cluster_key = clusters.cluster_key
inner join wholes
    on
        members.day = wholes.day
        and members.route = wholes.route
        and members.side = wholes.side
        and members.kind = wholes.kind
group by members.day, members.route, members.side, members.kind, members.member
