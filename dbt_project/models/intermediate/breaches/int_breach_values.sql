{{ config(materialized='table') }}

with series as (
    select distinct
        {{ json_text('evidence_json', 'route') }} as route,
        {{ json_text('evidence_json', 'side') }} as side,
        {{ json_text('evidence_json', 'feature') }} as feature
    from {{ ref('int_breaches') }}
),

daily as (
    select * from {{ ref('int_series_daily') }}
    where dimension = '*' and n > 0
),

calls as (
    select * from {{ ref('int_call_counts_daily') }}
)

select
    daily.day,
    daily.route,
    daily.side,
    daily.feature,
    daily.total / daily.n as value
from daily
inner join series
    on
        daily.route = series.route
        and daily.side = series.side
        and daily.feature = series.feature
union all
select
    calls.day,
    calls.route,
    series.side,
    series.feature,
    ln(1 + calls.n_calls) as value
from calls
inner join series on calls.route = series.route and series.feature = 'calls'
