{%- set columns = 'day, kind, subject, severity, is_start, moved, why, evidence_json' -%}

with breaches as (
    select {{ columns }} from {{ ref('int_breaches_of_texts') }}
    union all
    select {{ columns }} from {{ ref('int_breaches_of_traffic') }}
    union all
    select
        day,
        kind,
        subject,
        severity,
        true as is_start,
        summary as moved,
        '' as why,
        evidence_json
    from {{ ref('int_breaches_of_models') }}
    union all
    select {{ columns }} from {{ ref('int_breaches_of_lifetimes') }}
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
),

-- What is still open begins with a day on which it was beyond doubt; days before that are none of its nights.
begun as (
    select
        *,
        min(case when is_start then day end) over (partition by kind, subject, island) as first_seen
    from grouped
),

counted as (
    select
        *,
        row_number() over (partition by kind, subject, island order by day) as nights
    from begun
    where day >= first_seen
)

select
    day,
    kind,
    subject,
    severity,
    moved
    || case
        when nights > 1 then ' Night ' || cast(nights as varchar) || ', since ' || cast(first_seen as varchar) || '.'
        else ''
    end
    || why as summary,
    evidence_json,
    first_seen,
    nights
from counted
