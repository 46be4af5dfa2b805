{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{#- Who made the most calls: what a single user can have changed. -#}
{%- set most_users = 20 -%}
{%- set least_calls = 10 -%}

with calls as (
    select
        day,
        route,
        cluster_key,
        max(user_key) as user_key,
        count(*) as n
    from {{ ref('int_calls') }}
    where {{ is_day_to_build(ref('stg_interactions')) }}
    group by day, route, cluster_key
),

ranked as (
    select
        *,
        sum(n) over (partition by day, route) as n_calls,
        row_number() over (partition by day, route order by user_key is null asc, n desc, cluster_key asc) as place
    from calls
)

select
    day,
    route,
    cluster_key,
    {{ member_name('user_key') }} as user_name,
    cast(n as bigint) as n,
    cast(n_calls as bigint) as n_calls
from ranked
where user_key is not null and n >= {{ least_calls }} and place <= {{ most_users }}
