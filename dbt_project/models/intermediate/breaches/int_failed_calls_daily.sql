{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- The failed calls of the days and routes on which failures are a breach, with the commonest class and message. -#}
{%- set twentieth = 0.05 %}

with breaches as (
    select distinct
        day,
        route
    from {{ ref('fct_feature_skew_daily') }}
    where (feature = 'failed' or feature like 'error:%') and (is_breach or is_ongoing) and {{ is_built_day() }}
),

calls as (
    select * from {{ ref('int_calls') }}
    where day between {{ first_day() }} and {{ last_day() }}
),

failed as (
    select
        calls.day,
        calls.route,
        calls.started_at,
        coalesce(calls.error_type, '') as error_type,
        left(coalesce(calls.error_message, ''), 200) as message
    from calls
    inner join breaches on calls.day = breaches.day and calls.route = breaches.route
    where calls.is_error
),

totals as (
    select
        calls.day,
        calls.route,
        count(*) as n_calls
    from calls
    inner join breaches on calls.day = breaches.day and calls.route = breaches.route
    group by calls.day, calls.route
),

messages as (
    select
        day,
        route,
        error_type,
        message,
        row_number() over (partition by day, route order by count(*) desc, error_type asc, message asc) as place
    from failed
    group by day, route, error_type, message
),

-- A call fails now and then on any day. The first and the last twentieth of the failures are left out of the hours.
in_order as (
    select
        day,
        route,
        started_at,
        row_number() over (partition by day, route order by started_at) as place,
        count(*) over (partition by day, route) as n
    from failed
),

hours as (
    select
        day,
        route,
        max(n) as n,
        min(case when place >= {{ twentieth }} * n then started_at end) as first_at,
        max(case when place <= n + 1 - {{ twentieth }} * n then started_at end) as last_at
    from in_order
    group by day, route
)

select
    hours.day,
    hours.route,
    cast(hours.n as bigint) as n,
    cast(totals.n_calls as bigint) as n_calls,
    messages.error_type,
    messages.message,
    hours.first_at,
    hours.last_at
from hours
inner join totals on hours.day = totals.day and hours.route = totals.route
inner join messages on hours.day = messages.day and hours.route = messages.route and messages.place = 1
