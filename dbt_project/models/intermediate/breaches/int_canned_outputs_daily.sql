{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- The output that is repeated most often, of the days and routes on which repeated outputs are a breach. -#}
with breaches as (
    select distinct
        day,
        route
    from {{ ref('fct_feature_skew_daily') }}
    where feature = 'repeated' and (is_breach or is_ongoing) and {{ is_built_day() }}
),

outputs as (
    select * from {{ ref('int_texts') }}
    where origin = 'production' and side = 'output' and day between {{ first_day() }} and {{ last_day() }}
),

counts as (
    select
        outputs.day,
        outputs.route,
        outputs.text_value,
        count(*) as n,
        sum(count(*)) over (partition by outputs.day, outputs.route) as n_calls
    from outputs
    inner join breaches on outputs.day = breaches.day and outputs.route = breaches.route
    group by outputs.day, outputs.route, outputs.text_value
),

ordered as (
    select
        *,
        row_number() over (partition by day, route order by n desc, text_value asc) as place
    from counts
)

select
    day,
    route,
    left(text_value, 200) as text_value,
    cast(n as bigint) as n,
    cast(n_calls as bigint) as n_calls
from ordered
where place = 1
