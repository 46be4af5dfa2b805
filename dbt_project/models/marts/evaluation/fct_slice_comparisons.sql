with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where slice <> '*' and not {{ is_shadow_run() }} and {{ is_day_to_build(ref('stg_comparisons')) }}
)

select
    day,
    run_id,
    pinned,
    candidate,
    route,
    criterion,
    slice,
    {{ comparison_measures() | join(',\n    ') }}
from comparisons
