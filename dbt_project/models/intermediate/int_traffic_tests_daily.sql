{{ config(materialized='incremental', incremental_strategy='replace_days', tags=['evidence']) }}

{#- The tests of a night that have no row among the features of texts. -#}
select
    day,
    route,
    side,
    feature,
    kind,
    observed,
    expected,
    effect,
    n,
    p_value,
    q_value,
    is_breach,
    is_ongoing
from {{ ref('int_night_tests') }}
where kind in ('volume', 'group') or feature like 'topic:%'
