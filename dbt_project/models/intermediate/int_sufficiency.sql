{#- The decisive criteria of a route are its critical ones; if it has none, all of them. Criteria on answers without
    their wrapping are only for information; flows/evaluate/score/leaderboard.py leaves them out too. A candidate that
    answered nothing of a slice is not known to be good enough, however small the slice is. -#}
with comparisons as (
    select * from {{ ref('int_comparisons') }}
    where criterion not like {{ unwrapped("'%'") }}
),

weighed as (
    select
        *,
        max(case when severity = 'critical' then 1 else 0 end) over (partition by day, run_id, route) as has_critical
    from comparisons
)

select
    day,
    run_id,
    route,
    candidate,
    min(
        case
            when slice <> '*' and n_examples = 0 and n_unanswered > 0 then 0
            when slice <> '*' or verdict in ('better', 'not_worse') then 1
            else 0
        end
    ) = 1 as is_not_worse
from weighed
where severity = 'critical' or has_critical = 0
group by day, run_id, route, candidate
