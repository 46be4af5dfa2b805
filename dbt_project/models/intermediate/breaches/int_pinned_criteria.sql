select
    day,
    route,
    criterion,
    severity,
    need,
    min_pass_rate,
    lead(day) over (partition by route, criterion order by day) as next_day
from {{ ref('fct_eval_scores') }}
where arm = 'pinned' and run_id = {{ nightly_run_id('day') }}
