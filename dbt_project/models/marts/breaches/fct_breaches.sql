with breaches as (
    select * from {{ ref('int_breaches_of_texts') }}
    union all
    select * from {{ ref('int_breaches_of_models') }}
),

preceded as (
    select
        *,
        lag(day) over (partition by kind, subject order by day) as preceding_day
    from breaches
),

grouped as (
    select
        *,
        sum(case when preceding_day = {{ day_before('day') }} then 0 else 1 end) over (
            partition by kind, subject order by day rows between unbounded preceding and current row
        ) as island
    from preceded
)

select
    day,
    kind,
    subject,
    severity,
    summary,
    evidence_json,
    min(day) over (partition by kind, subject, island) as first_seen,
    row_number() over (partition by kind, subject, island order by day) as nights
from grouped
